"""The rig of the tick benchmark: what it times ends where the order's bytes reach the socket."""

from pathlib import Path

import pytest

from bus.messages import CancelOrder, LevelQuantities, SubmitOrder
from ops.bench.rig import Rig


@pytest.mark.parametrize("transport", ["direct", "loopback"])
def test_the_venues_own_work_begins_after_the_timed_write(transport: str, tmp_path: Path) -> None:
    """Goal: no figure of the bench contains what its stand-in for the venue does to answer."""
    rig = Rig(transport, tmp_path, 1, logs=False, fills=False)
    accept, confirm = rig._accept, rig._confirm
    written: list[int] = []

    def accepted(order: SubmitOrder) -> None:
        written.append(rig.socket.order_ns)
        accept(order)

    def confirmed(cancel: CancelOrder) -> None:
        written.append(rig.socket.cancel_ns)
        confirm(cancel)

    rig._accept, rig._confirm = accepted, confirmed  # type: ignore[method-assign]  # listens in, changes nothing
    ticks = [rig.tick(rig.market.frame()) for _ in range(5)]
    rig.close()
    assert all(order_ns and cancel_ns for order_ns, cancel_ns in ticks)
    assert len(written) == 10
    assert all(written)


@pytest.mark.parametrize("fills", [True, False])
def test_everything_an_engine_may_have_on_is_on(fills: bool, tmp_path: Path) -> None:
    """Goal: no figure of the bench is that of a path which is switched off."""
    rig = Rig("loopback", tmp_path, 1, logs=False, fills=fills)
    told: list[LevelQuantities] = []
    execution = next(actor for actor in rig.actors if actor.name == "execution")
    assert isinstance(execution.handlers, dict)
    on_levels = execution.handlers[LevelQuantities]
    execution.handlers[LevelQuantities] = lambda levels, now_ns: told.append(levels) or on_levels(levels, now_ns)
    for _ in range(60):
        rig.tick(rig.market.frame())
    views = {actor.name: actor.view() for actor in rig.actors}
    rig.close()
    assert views["exits"]["exits"][0]["phase"] == "HOLDING"
    signals = views["microstructure"]["instruments"][0]
    assert signals["pressure"]
    assert signals["bids"]["depth"]
    assert views["coordination"]["bands"][0]["bid_max"]
    assert bool(told)
    assert bool(views["execution"]["orders"]) is not fills

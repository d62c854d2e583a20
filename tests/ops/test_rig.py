"""The rig of the tick benchmark: what it times ends where the order's bytes reach the socket."""

from pathlib import Path

import pytest

from bus.messages import CancelOrder, SubmitOrder
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

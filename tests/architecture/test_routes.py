"""The topology page against the real actors and doors: nothing is sent that nobody gets, nothing is awaited that nobody sends."""

import ast
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bus import messages
from bus.actor import Actor
from bus.checkpoint import Checkpoints
from bus.errors import RouteError
from bus.host import Host, Receiver
from bus.loopback import LoopbackMailboxes
from bus.messages import (
    VOCABULARY,
    AccountHandedOver,
    ApprovedOrder,
    Balance,
    BookStateChanged,
    CancelCommand,
    CancelOrder,
    ClockEstimate,
    CommandAnswered,
    DepthUpdate,
    Fill,
    LedgerCompared,
    LoopLag,
    Message,
    OrderUpdate,
    SubmitOrder,
    Touch,
    VenuePosition,
    VenueQuery,
)
from bus.timers import Timers
from gateway.doors.feed import FeedDoor
from gateway.doors.rest import RestDoor
from gateway.doors.store import StoreDoor
from gateway.doors.venue_time import VenueTime
from ops import docs
from ops.assembly import VENUE, build_actors
from ops.config import parse
from ops.recovery import RECOVERED
from ops.sections import Config, ExitsSection
from ops.supervisor import Supervisor
from ops.topology import ACTORS, ANSWERS, COMMANDS, DOORS, INPUT_CLASSES, JOURNALED, ROUTES, elsewhere, routing
from tests.support.house import BTC, CONFIG, MS, House
from tests.support.world import ROUGH, World

ROOT = Path(__file__).parents[2]
VALUES = (Balance, VenuePosition)
"""Carried inside other messages, never sent by themselves."""
FOR_PEOPLE = (LedgerCompared,)
"""Journaled for the record alone: what it says follows from BalancesReported and Fill."""

INPUTS = tuple(chain.from_iterable(INPUT_CLASSES))


def everything(config: Config) -> Config:
    """Nobody of the page is switched off."""
    return msgspec.structs.replace(config, exits=ExitsSection(enabled=True))


def receivers() -> list[Receiver]:
    """The real ones, as the engine makes them; the order door's are House's, which has a real one. The coordination door
    is House's stand-in, which takes what the real one takes (tests/gateway/doors/coordination/test_door.py)."""
    house = House()
    rest = RestDoor({VENUE: "http://venue.test"}, house.clock.now_ns, VenueTime())
    actors: list[Actor[Any]] = build_actors(everything(parse(CONFIG)), [BTC])
    store = StoreDoor(Path("store.sqlite"), lambda: 0, lambda: 0, house.clock.now_ns)
    doors = [house.door, rest, FeedDoor({}, house.clock.now_ns), house.coordination, store]
    return [*actors, *doors, Timers(), Checkpoints(lambda now_ns: None), house.supervision, Supervisor()]


ALL = receivers()


def makes(folder: Path) -> Iterator[tuple[str, str]]:
    """(sub-room, message) for every message that a source file constructs by name."""
    names = {kind.__name__ for kind in VOCABULARY}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield path.relative_to(folder).parts[0], node.func.id


@pytest.fixture(scope="module")
def carried() -> set[tuple[str, type[Message]]]:
    """(receiver, message) of everything that rough worlds carried, start, cuts and stop included."""
    found = set()
    for seed in (2, 3, 6):  # what is rare, as a refusal by risk, is not in each of them
        world = World(seed, ROUGH, tapped=True, change=everything)
        world.start()
        world.run(20.0)
        world.house.post(LoopLag(500 * MS))  # a machine that was busy: limits are tightened
        world.cut_feed()
        world.cut_orders()
        world.run(5.0)
        world.stop()
        world.run(60.0, world.is_quiet)
        found |= {(receiver, type(message)) for receiver, message in world.house.tap.carried}
    return found


def test_names_of_the_page_are_the_names_of_the_receivers() -> None:
    assert [receiver.name for receiver in ALL] == [*ACTORS, *DOORS]


@pytest.mark.parametrize("receiver", ALL, ids=lambda receiver: receiver.name)
def test_a_receiver_handles_what_is_routed_to_it_and_nothing_else(receiver: Receiver) -> None:
    routed = {kind for kind, names in ROUTES.items() if receiver.name in names}
    assert {kind for kind in receiver.handlers if kind not in ANSWERS} == routed


def test_the_host_takes_the_page_and_refuses_a_wrong_one() -> None:
    page = routing()
    Host(ALL, page, LoopbackMailboxes(), lambda: 0)
    wrong = page._replace(routes={**page.routes, Touch: ("execution", "risk", "portfolio")})
    with pytest.raises(RouteError):
        Host(ALL, wrong, LoopbackMailboxes(), lambda: 0)


def test_every_message_is_routed_an_answer_or_a_value() -> None:
    assert set(VOCABULARY) == set(ROUTES) | set(ANSWERS) | set(VALUES)
    assert len(ROUTES) + len(ANSWERS) + len(VALUES) == len(VOCABULARY)


def test_every_route_leads_somewhere_once() -> None:
    assert [kind.__name__ for kind, names in ROUTES.items() if not names or len(names) != len(set(names))] == []


def test_what_actors_and_host_make_has_a_route() -> None:
    """By source: a message that no run happens to send would raise in the host's hottest loop."""
    made = {getattr(messages, name) for folder in ("actors", "bus") for _, name in makes(ROOT / folder)}
    assert {kind.__name__ for kind in made} - {kind.__name__ for kind in (*ROUTES, *ANSWERS, *VALUES)} == set()
    assert len(made) > 30


def test_what_nobody_inside_makes_is_an_input_and_has_a_class() -> None:
    inside = {getattr(messages, name) for _, name in makes(ROOT / "actors")}
    from_outside = {kind for kind in (*ROUTES, *ANSWERS) if kind not in inside}
    assert from_outside == set(INPUTS)
    assert len(INPUTS) == len(set(INPUTS))


def test_what_doors_and_ops_post_is_an_input() -> None:
    rooms = ("gateway/binance_spot", "gateway/binance_usdm", "gateway/doors", "ops", "bus")
    made = {getattr(messages, name) for room in rooms for _, name in makes(ROOT / room)}
    of_their_own = {
        AccountHandedOver,  # the coordination door writes it into its store
        BookStateChanged,  # of a lost host's books, said by whoever listens for itself alone (Host.post_here)
        CommandAnswered,  # to whoever's command came too late (ops/commanded.py): no host has heard of it
        CancelOrder,  # with no engine alive, as the venue's folder phrases it over REST (ops/at_venue.py): no host carries it
        VenueQuery,  # the same
        ApprovedOrder,  # of the order bench, which stands in for risk, execution and the door: ops/bench/order_day.py
        CancelCommand,
        SubmitOrder,
        DepthUpdate,  # of the book bench's unchecked side, on plain calls: no host carries it
        OrderUpdate,  # inside the store door's answer
        Fill,
    }
    assert made - set(INPUTS) - set(VALUES) == of_their_own
    assert len(made) > 15


def test_a_run_sends_along_the_page_and_nowhere_else(carried: set[tuple[str, type[Message]]]) -> None:
    off = [(name, kind.__name__) for name, kind in carried if kind not in ANSWERS and name not in ROUTES[kind]]
    assert off == []


NOT_IN_A_RUN = {
    "ActorFailed", "ActorsRestarted", "StrategyQuarantined", "CommandDropped", "CancelTimer", "OperatorCommand",
    "WallAdjusted",
    "LeadershipLost", "AccountHandedOver", "BandWanted", "CooldownRequested", "CooldownObserved", "CooldownHeld",
    "PublishCooldown", "FrameBatch", "StreamChanged", "Resubscribe", "RollConnection", "ReleaseConnection", "MarkPrice",
    "FundingRate", "CommandAnswered", "PrivateStreamSuspected", "StoreQuery", "ForeignTraded", "WalletChanged", "LedgerAdjusted",
    "BaselineAwaited",
}  # fmt: skip
"""Of failures, people and what they are answered, a ledger that differs or waits for its start, the wall clock, other instances, a host that is behind, streams that fall silent or are rolled,
perpetuals, orders that memory no longer holds: tests/scenarios and tests/actors have them."""


def test_a_rough_run_uses_every_other_route(carried: set[tuple[str, type[Message]]]) -> None:
    """A route that nothing travels is a mistake, or a run that proves less than it seems to."""
    idle = {kind.__name__ for kind, names in ROUTES.items() if any((name, kind) not in carried for name in names)}
    assert idle - NOT_IN_A_RUN == set()


def test_every_journaled_fact_is_folded_at_recovery() -> None:
    folded = {kind for receiver in ALL if receiver.name in RECOVERED for kind in receiver.recovers()}  # type: ignore[attr-defined]  # the recovered ones are actors
    assert set(JOURNALED) - folded == set(FOR_PEOPLE)
    assert folded - set(JOURNALED) == {SubmitOrder, CancelOrder}, "what the door journals"


def test_lost_commands_name_what_was_reserved() -> None:
    """CommandDropped is made of these fields; a command without them could not be released."""
    for kind in COMMANDS:
        assert {"instrument", "owner", "command", "client_order_id"} & set(kind.__struct_fields__) >= {"instrument"}
        assert {"command", "client_order_id"} & set(kind.__struct_fields__), kind


def test_market_data_hears_its_book_refused_after_everyone_else_did() -> None:
    """Its resync must find quoting stopped: the order of the page is a decision."""
    names = ROUTES[BookStateChanged]
    assert names.index("execution") < names.index("market_data")
    assert names.index("orderbook") == 0


def test_the_reference_pages_are_fresh() -> None:
    stale = [name for name, text in docs.pages().items() if (docs.FOLDER / name).read_text(encoding="utf-8") != text]
    assert stale == [], "run: python -m ops.docs"


def test_a_page_is_written_only_when_it_changed(tmp_path: Path) -> None:
    assert [path.name for path in docs.write(tmp_path)] == list(docs.pages())
    assert docs.write(tmp_path) == []


def test_a_venues_clock_is_estimated_by_each_host_that_receives_its_frames() -> None:
    """An estimate is against its own process's time: to market data elsewhere it would be wrong, for risk it is the door's."""
    assert ClockEstimate not in elsewhere(0, {1: ("market_data", "orderbook")})
    assert elsewhere(0, {1: ("risk",)})[ClockEstimate] == (1,)

"""What is published rebuilds the true book: a client that knows only snapshots, diffs and tickers sees what the engine has.

No sockets and no clock: a listener is called in the very step that publishes, so that it can compare with the book of that moment.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.simulated.core.book import PriceTimeBook
from gateway.simulated.core.decimals import decimal_text
from gateway.simulated.core.errors import VenueError
from gateway.simulated.core.orders import Side
from gateway.simulated.crowd.profiles import profile
from gateway.simulated.crowd.regimes import Regime
from gateway.simulated.spot.publisher import BookPublisher
from gateway.simulated.streams import StreamClient, StreamHub
from gateway.simulated.virtual import VirtualMarket
from tests.gateway.simulated.core.desk import ANN, BOB, BUY, SELL, Desk

SPEEDS = ("@100ms", "", "@1000ms")
TOPICS = [
    "btcusdt@bookTicker",
    *(f"btcusdt@depth{speed}" for speed in SPEEDS),
    *(f"btcusdt@depth{levels}{speed}" for levels in (5, 10, 20) for speed in SPEEDS),
]
Levels = list[tuple[int, int]]
Book = Callable[[int], tuple[int, Levels, Levels]]
WHOLE = 5_000


class Ear:
    """What a stream client uses of a connection."""

    def __init__(self, hear: Callable[[bytes], None]) -> None:
        self.send = hear


class Rebuilder:
    """A client of every cadence: builds its books from diffs, and compares each event with the true book of that moment."""

    def __init__(self, true_book: Book) -> None:
        self._true_book = true_book
        update_id, bids, asks = self._true(WHOLE)
        self._books = {f"btcusdt@depth{speed}": (dict(bids), dict(asks)) for speed in SPEEDS}
        self._ids = dict.fromkeys(self._books, update_id)
        self.heard = dict.fromkeys(TOPICS, 0)

    def _true(self, levels: int) -> tuple[int, list[list[str]], list[list[str]]]:
        update_id, bids, asks = self._true_book(levels)
        bid_texts, ask_texts = ([[decimal_text(p), decimal_text(q)] for p, q in side] for side in (bids, asks))
        return update_id, bid_texts, ask_texts

    def hear(self, frame: bytes) -> None:
        told = msgspec.json.decode(frame)
        topic, event = told["stream"], told["data"]
        self.heard[topic] += 1
        if topic in self._books:
            self._rebuild(topic, event)
            update_id, bids, asks = self._true(WHOLE)
            assert event["u"] == update_id
            assert self._books[topic] == (dict(bids), dict(asks))
        elif topic.endswith("bookTicker"):
            update_id, bids, asks = self._true(1)
            top = [bids[0] if bids else ["0.00000000"] * 2, asks[0] if asks else ["0.00000000"] * 2]
            assert (event["u"], [[event["b"], event["B"]], [event["a"], event["A"]]]) == (update_id, top)
        else:
            levels = int(topic.partition("@depth")[2].partition("@")[0])
            update_id, bids, asks = self._true(levels)
            assert event == {"lastUpdateId": update_id, "bids": bids, "asks": asks}

    def _rebuild(self, topic: str, event: dict[str, Any]) -> None:
        assert event["U"] == self._ids[topic] + 1, "gapless"
        assert event["U"] <= event["u"]
        self._ids[topic] = event["u"]
        for side, changes in zip(self._books[topic], (event["b"], event["a"]), strict=True):
            for price, quantity in changes:
                side[price] = quantity
                if quantity == "0.00000000":
                    del side[price]  # only what was told before is ever deleted, or was there and gone within one batch
        for side in self._books[topic]:
            assert "0.00000000" not in side.values()


def listen(hub: StreamHub, true_book: Book) -> Rebuilder:
    rebuilder = Rebuilder(true_book)
    client = StreamClient(Ear(rebuilder.hear), hub, is_combined=True)  # type: ignore[arg-type]  # it only sends
    client.subscribe(TOPICS)
    return rebuilder


@pytest.mark.parametrize("regime", [Regime.CALM, Regime.FLASH_CRASH])
def test_every_event_of_a_generated_market_fits_the_true_book(regime: Regime) -> None:
    """The whole of a market, three cadences of diffs, six partial books and the ticker, for some seconds of the crowd."""
    found = profile("BTCUSDT")
    assert found is not None
    world = VirtualMarket([found], seed=5, regime=regime)
    rebuilder = listen(world.market.hub, lambda limit: world.market.depth("BTCUSDT", limit))
    world.run(6)
    assert rebuilder.heard["btcusdt@depth@100ms"] >= 40
    assert rebuilder.heard["btcusdt@depth5"] >= 5
    assert min(rebuilder.heard.values()) >= 5


COMMANDS = st.one_of(
    st.tuples(st.just("limit"), st.sampled_from([BUY, SELL]), st.integers(1, 5), st.integers(95, 105)),
    st.tuples(st.just("market"), st.sampled_from([BUY, SELL]), st.integers(1, 8), st.just(0)),
    st.tuples(st.just("cancel"), st.just(BUY), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("amend"), st.just(BUY), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("flush"), st.just(BUY), st.integers(0, 1), st.just(0)),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(COMMANDS, max_size=60))
def test_whatever_is_done_and_whenever_a_batch_ends_the_book_can_be_rebuilt(
    commands: list[tuple[str, Side, int, int]],
) -> None:
    """Random commands of two accounts on an empty book, the two cadences flushed at random between them."""
    desk = Desk()
    hub = StreamHub(["BTCUSDT"])
    publisher = BookPublisher("BTCUSDT", desk.book, hub)
    rebuilder = listen(hub, desk.book.depth)
    for number, (command, side, size, price) in enumerate(commands, 1):
        run(desk, publisher, number, (command, side, size, price))
        desk.engine.drain()
        publisher.publish_top(number)
    for cadence in (0, 1):
        publisher.flush_depth(cadence, len(commands) + 1)
    assert rebuilder.heard["btcusdt@depth"] == rebuilder.heard["btcusdt@depth@1000ms"]
    assert (rebuilder.heard["btcusdt@depth"] > 0) == (desk.book.update_id > PriceTimeBook("BTCUSDT").update_id)


def run(desk: Desk, publisher: BookPublisher, number: int, command: tuple[str, Side, int, int]) -> None:
    what, side, size, price = command
    account = ANN if number % 2 else BOB
    orders = desk.engine.registry.client_orders()
    try:
        match what:
            case "limit" | "market":
                desk.place(account, side, size / 10, price)
            case "cancel" if orders:
                desk.engine.cancel(orders[size % len(orders)], f"c{number}", number)
            case "amend" if orders:
                order = orders[size % len(orders)]
                desk.engine.amend(order, order.quantity - order.quantity // 4, None, number)
            case "flush":
                publisher.flush_depth(size, number)
    except VenueError:
        pass  # refused: nothing has changed, which is looked at all the same


def test_nothing_is_told_of_a_book_at_rest() -> None:
    desk = Desk()
    hub = StreamHub(["BTCUSDT"])
    publisher = BookPublisher("BTCUSDT", desk.book, hub)
    desk.place(ANN, BUY, 1, 100)
    publisher.publish_top(1)
    publisher.flush_depth(0, 1)
    publisher.flush_depth(1, 1)
    rebuilder = listen(hub, desk.book.depth)
    for now_ns in (2, 3_000_000_000):
        publisher.flush_depth(0, now_ns)
        publisher.publish_top(now_ns)
    assert not any(rebuilder.heard.values())

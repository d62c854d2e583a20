"""What microstructure says to views and words on validity."""

import pytest

from actors.microstructure import Microstructure, MicrostructureSettings
from bus.messages import BookReason, BookState, BookStateChanged, BookView, Message, Side, Signals, TradePrint
from tests.actors.market_data.feeds import NUMBER, copy_of, instrument

SETTINGS = MicrostructureSettings(flow_window=3, spread_window=4, trade_window=2, depth_decay=0.0)
INVALID = BookStateChanged(NUMBER, BookState.INVALID, BookReason.SEQUENCE_GAP, 1)


def view(update_id: int, bids=((100, 30), (99, 10)), asks=((102, 10),)) -> BookView:
    return BookView(
        NUMBER,
        2,
        update_id,
        update_id + 500,
        tuple(price for price, _ in bids),
        tuple(quantity for _, quantity in bids),
        tuple(price for price, _ in asks),
        tuple(quantity for _, quantity in asks),
    )


def actor(*messages: Message) -> Microstructure:
    fresh = Microstructure(SETTINGS)
    for message in (instrument(), *messages):
        fresh.receive(message, 0)
    return fresh


def signals(microstructure: Microstructure, message: BookView) -> Signals:
    (only,) = microstructure.receive(message, 0)
    assert isinstance(only, Signals)
    return only


def test_first_view_gives_every_metric_but_is_not_warm() -> None:
    assert signals(actor(), view(7)) == Signals(
        NUMBER,
        2,
        7,
        507,
        100,
        30,
        102,
        10,
        imbalance=0.5,
        depth_imbalance=(40 - 10) / 50,
        weighted_mid=101.5,
        order_flow_imbalance=0.0,
        spread_mean=2.0,
        spread_deviation=0.0,
        warm=False,
    )


def test_warm_when_every_window_is_full_and_cold_again_after_invalid() -> None:
    microstructure = actor()
    assert [signals(microstructure, view(number)).warm for number in range(5)] == [False, False, False, True, True]
    assert microstructure.receive(INVALID, 0) == ()
    again = signals(microstructure, view(9, bids=((50, 1),)))
    assert (again.warm, again.order_flow_imbalance, again.spread_mean) == (False, 0.0, 52.0)


@pytest.mark.parametrize("state", [BookState.SYNCING, BookState.STALE, BookState.INVALID])
def test_every_state_but_live_forgets_the_windows(state: BookState) -> None:
    microstructure = actor(view(1), view(2))
    microstructure.receive(BookStateChanged(NUMBER, state, BookReason.START, 0), 0)
    assert microstructure.view()["instruments"][NUMBER]["updates"] == 0


def test_live_forgets_nothing() -> None:
    microstructure = actor(view(1), view(2))
    microstructure.receive(BookStateChanged(NUMBER, BookState.LIVE, BookReason.SNAPSHOT_BRIDGED, 0), 0)
    assert microstructure.view()["instruments"][NUMBER]["updates"] == 1


def test_flow_is_summed_over_the_window() -> None:
    microstructure = actor()
    flows = [
        signals(microstructure, view(quantity, bids=((100, quantity),))).order_flow_imbalance
        for quantity in (1, 3, 7, 15, 31)
    ]
    assert flows == [0.0, 2.0, 6.0, 14.0, 28.0]


@pytest.mark.parametrize(
    ("bids", "asks", "touch"), [((), ((102, 10),), (0, 0, 102, 10)), (((9, 1),), (), (9, 1, 0, 0))]
)
def test_one_sided_book_is_told_and_never_warm(bids, asks, touch) -> None:
    microstructure = actor(*[view(number) for number in range(6)])
    one_sided = signals(microstructure, view(9, bids, asks))
    assert (one_sided.bid, one_sided.bid_quantity, one_sided.ask, one_sided.ask_quantity) == touch
    assert not one_sided.warm
    assert not signals(microstructure, view(10)).warm


def test_trades_are_summed_by_aggressor() -> None:
    microstructure = actor()
    for number, (side, quantity) in enumerate([(Side.SELL, 99), (Side.BUY, 3), (Side.SELL, 1)]):
        assert microstructure.receive(TradePrint(NUMBER, 1, number, 0, 0, 100, quantity, side), 0) == ()
    assert microstructure.view()["instruments"][NUMBER]["trade_flow_imbalance"] == 0.5


def test_restart_at_every_step() -> None:
    """Checkpoint after k inputs, restore into a fresh actor, feed the rest: the same words, the same end."""
    inputs: list[Message] = [instrument(), *[view(n, bids=((100 + n % 3, 5 + n),)) for n in range(8)]]
    inputs += [TradePrint(NUMBER, 1, 1, 0, 0, 100, 5, Side.BUY), INVALID]
    inputs += [view(n, bids=((100 + n % 2, 5 + n),)) for n in range(9, 15)]
    for step in range(len(inputs)):
        first = Microstructure(SETTINGS)
        for message in inputs[:step]:
            first.receive(message, 0)
        second = copy_of(first, Microstructure(SETTINGS))
        for message in inputs[step:]:
            assert second.receive(message, 0) == first.receive(message, 0)
        assert second.checkpoint() == first.checkpoint()

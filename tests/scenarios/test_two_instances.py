"""Two whole engines in memory on one store: they quote beside each other, never against each other, and hand over."""

from typing import Any

import msgspec

from bus.messages import (
    Balance,
    Fill,
    LeadershipLost,
    OrderRefused,
    OrdersReady,
    PositionUpdate,
    PrivateStreamUp,
    PublishBand,
    QuoteIntent,
    Refusal,
    ReportKind,
    Side,
    SubmitOrder,
    TimerFired,
    TradingState,
    VenueState,
)
from gateway.doors.coordination.loopback import LoopbackDoor, LoopbackStore
from ops.assembly import ACCOUNT, VENUE
from tests.scenarios.test_precedence import Hand
from tests.support.house import BTC, MS, House
from tests.support.stage import Stage


def instance(store: LoopbackStore, scope: str, **house: Any) -> Stage:
    return Stage(coordination=LoopbackDoor({0: BTC}, store, scope), quotes=False, **house)


def settle(*stages: Stage) -> None:
    """The store's news reach everybody."""
    for _ in range(4):
        for stage in stages:
            stage.house.host.run(1_000)


def prices(stage: Stage) -> list[tuple[int, int]]:
    """(side, ticks) of everything it ever sent."""
    return [(int(m.side), m.price_ticks) for m in stage.house.journal.messages() if isinstance(m, SubmitOrder)]


def test_alone_nothing_of_it_is_felt() -> None:
    one = instance(LoopbackStore(), "a")
    assert len(one.submits()) == 2
    assert one.house.said(OrderRefused) == []
    assert len(one.house.said(PublishBand)) == 1


def test_a_second_instance_quotes_beside_the_first() -> None:
    """The first narrows to what it rests at; the second's refused quotes go out as soon as the band is there."""
    store = LoopbackStore()
    first = instance(store, "a")
    second = instance(store, "b")
    settle(first, second)
    assert sorted(prices(first)) == sorted(prices(second)) == [(-1, 6_000_010), (1, 6_000_000)]
    assert [band.bid_max for band in store.bands.values()] == [6_000_000 * BTC.tick] * 2
    assert [band.ask_min for band in store.bands.values()] == [6_000_010 * BTC.tick] * 2


def test_a_quote_that_would_meet_the_others_waits_until_the_other_is_gone() -> None:
    """The market of the second moved up: its bid would meet the first's ask, which is not canceled yet."""
    store = LoopbackStore()
    first = instance(store, "a")
    second = instance(store, "b")
    settle(first, second)
    for order in second.submits():
        second.accept(order)
    second.house.forget()
    second.move("60000.10", "60000.20")
    for order in second.cancels():
        second.canceled(order)
    second.house.wait(300)
    settle(first, second)
    refusals = [refused.reason for refused in second.house.said(OrderRefused)]
    assert Refusal.BAND in refusals
    assert (1, 6_000_010) not in prices(second)
    for order in first.submits():
        first.accept(order)
    first.move("60000.10", "60000.20")
    for order in first.cancels():
        first.canceled(order)
    first.house.wait(300)
    settle(first, second)
    second.house.wait(300)
    settle(first, second)
    assert (1, 6_000_010) in prices(second)


def test_an_exit_that_would_take_from_the_other_instance_rests_before_it_and_takes_once_it_is_gone() -> None:
    """A stop-loss of the second: the first bids at the touch. Refused twice, it rests one tick above that bid."""
    store = LoopbackStore()
    first = instance(store, "a")
    hand = Hand()
    second = instance(store, "b", before=hand.take_over)
    settle(first, second)
    for order in first.submits():
        first.accept(order)
    bid, ask = second.submits()
    second.accept(bid)
    second.accept(ask)
    second.fill(bid)
    second.tick()
    for order in second.submits():
        second.accept(order)
    second.house.forget()
    sell_out(second, hand, 6_000_000)
    for order in second.cancels():
        second.answer_cancel(order)
        second.canceled(order)
    for _ in range(6):
        settle(first, second)
        second.house.wait(150)
    assert Refusal.BAND in [refused.reason for refused in second.house.said(OrderRefused)]
    assert [row["price"] for row in second.all_submits][-1:] == ["60000.01000000"]
    assert second.all_submits[-1]["type"] == "LIMIT"
    [order] = second.submits()[-1:]
    second.accept(order)
    first.lose_a_frame()
    for leaving in first.cancels():
        first.answer_cancel(leaving)
        first.canceled(leaving)
    first.house.wait(300)
    settle(first, second)
    assert order in second.cancels(), "the way is free: it goes to cross"


def sell_out(stage: Stage, hand: Hand, ticks: int) -> None:
    """Exits of this instance wish to sell its 100 lots across the bid."""
    now_ns = stage.house.clock.now_ns()
    hand.wishes.append(
        QuoteIntent(ACCOUNT, VENUE, 0, 1, "exits", True, 0, 0, now_ns + 60_000 * MS, 0, 0, ticks, 100, cross=True)
    )
    stage.house.post(TimerFired("exits", 0, 0, now_ns))


def test_a_cooldown_of_one_is_kept_by_all_and_ends_by_itself() -> None:
    store = LoopbackStore()
    pair = [instance(store, scope) for scope in ("a", "b")]
    settle(*pair)
    for stage in pair:
        for order in stage.submits():
            stage.accept(order)
        stage.house.forget()
    store.cooldowns["BTCUSDT"] = (pair[0].house.clock.now_ns() + 5_000 * MS, "loss")
    store.show()
    settle(*pair)
    for stage in pair:
        assert len(stage.cancels()) == 2
        for order in stage.cancels():
            stage.canceled(order)
        stage.tick()
        assert stage.submits() == []
        stage.house.wait(5_000)
        stage.tick()
    settle(*pair)
    for stage in pair:
        stage.house.wait(500)
        stage.tick()
        assert len(stage.submits()) == 2


def test_a_lost_term_pulls_the_quotes_and_lets_nothing_new_through() -> None:
    stage = instance(LoopbackStore(), "a")
    for order in stage.submits():
        stage.accept(order)
    stage.house.forget()
    stage.house.post(LeadershipLost(ACCOUNT, 1, "cut off"))
    assert stage.trading() is TradingState.CANCEL_ONLY
    assert len(stage.cancels()) == 2
    for order in stage.cancels():
        stage.canceled(order)
    stage.tick()
    assert stage.submits() == []


def test_a_successor_in_a_directory_of_his_own_has_the_position_and_finds_what_was_not_left() -> None:
    """100 lots bought and left for him; 100 more were sold on an order that he never heard of."""
    store = LoopbackStore()
    first = instance(store, "a")
    bid, ask = first.submits()
    first.accept(bid)
    first.accept(ask)
    first.fill(bid)
    first.house.wait(300)
    assert store.accounts["a"].state.positions == (100_000,)
    sold = first.found(ask, state=VenueState.DONE_FILLED, executed=100)
    sold = msgspec.structs.replace(sold, side=Side.SELL)
    row = msgspec.structs.replace(
        sold, client_order_id="", kind=ReportKind.TRADE, state=VenueState.NONE, trade_id=2,
        last_quantity=100_000, last_price=60_001 * 10**8, last_quote=100_000 * 60_001,
    )  # fmt: skip
    house = House(epoch=2, coordination=LoopbackDoor({0: BTC}, store, "a"))
    house.begin()
    house.post(PrivateStreamUp(ACCOUNT, 1, house.clock.now_ns()))
    venues = (Balance("BTC", 10 * 10**8, 0), Balance("USDT", 1_000_001 * 10**8 - 10**8 + 10**5, 0))
    for _ in range(10):
        house.answer_queries(venues, TRADES=(row,), ORDER=(sold,))
        house.wait(200)
    [taken] = [m for m in house.said(PositionUpdate) if m.taken_over]
    assert taken.position == 100_000
    assert [(fill.client_order_id, fill.trade_id) for fill in house.said(Fill)] == [(ask, 2)]
    assert house.actor("portfolio").view()["positions"][0]["position"] == 0
    assert len(house.said(OrdersReady)) == 1
    assert [type(m).__name__ for m in house.journal.messages()].count("AccountHandedOver") == 1


def test_a_store_that_cannot_be_asked_stops_no_quoting_within_what_is_held() -> None:
    store = LoopbackStore()
    first = instance(store, "a")
    second = instance(store, "b")
    settle(first, second)
    for order in first.submits():
        first.accept(order)
    store.outage = True
    first.house.forget()
    first.move("59999.90", "60000.20")
    for order in first.cancels():
        first.canceled(order)
    first.house.wait(200)
    first.tick()
    assert prices(first)[2:] == [(1, 5_999_990), (-1, 6_000_020)]

"""What exits do with a position, message by message. Prices: see builders."""

from typing import Any

import msgspec
import pytest

from actors.exits import Exits, ExitsSettings
from actors.exits.phases import Phase
from bus.messages import (
    Alert,
    AlertLevel,
    CommandAnswered,
    CooldownRequested,
    EngineStarted,
    Fill,
    Message,
    OperatorCommand,
    OrderRefused,
    OrderStatus,
    OrderUpdate,
    PositionUpdate,
    QuoteIntent,
    Refusal,
    SetTimer,
    Side,
    Signals,
    StopRequested,
    TimerFired,
    TradingState,
)
from tests.actors.exits.builders import (
    BOOK_LOST,
    BUY,
    MS,
    NOW,
    SECOND,
    SELL,
    SETTINGS,
    Trader,
    instrument,
    long,
    short,
    state,
    wishes,
)

LEANING = {"depth_imbalance": -0.8, "pressure": -0.9}


def alerts(said: list[Message]) -> list[str]:
    return [message.event for message in said if isinstance(message, Alert)]


def pauses(said: list[Message]) -> list[CooldownRequested]:
    return [message for message in said if isinstance(message, CooldownRequested)]


def refused(reason: Refusal, owner: str = "exits") -> OrderRefused:
    return OrderRefused(0, owner, 1, Side.SELL, reason)


# Nothing to do


def test_a_position_that_no_trigger_met_is_left_to_the_strategy() -> None:
    trader = long()
    for bid in (9_990, 10_040, 10_000, 9_901):
        assert trader.market(bid, bid + 2) == []
    assert trader.phase is Phase.HOLDING


def test_a_flat_instrument_is_not_watched() -> None:
    trader = Trader()
    assert trader.market(1, 2) == []
    assert trader.exits.closer.watched == {}
    assert trader.watch.signals is None


def test_switched_off_it_hears_nothing_and_keeps_nothing() -> None:
    exits = Exits(None, {})
    exits.restore(long().exits.checkpoint())
    assert not {Signals, Fill, OrderUpdate} & set(exits.handlers), "no price and no order reaches it"
    assert exits.checkpoint().watches == []
    folded = {PositionUpdate, OperatorCommand, CommandAnswered}
    assert set(exits.recovers()) == folded, "what is held it knows, and what a person wants closed"


# Profit


def test_at_the_target_it_rests_there_and_not_below() -> None:
    trader = long()
    assert wishes(trader.market(10_090, 10_100)) == [("sell", 10_100, 100)]
    assert wishes(trader.market(10_070, 10_090)) == [], "behind the touch, but never for less than the target"
    assert trader.phase is Phase.TAKING_PROFIT


def test_above_the_target_it_joins_the_touch() -> None:
    assert wishes(long().market(10_120, 10_130)) == [("sell", 10_130, 100)]


def test_a_touch_that_falls_back_gives_the_instrument_back() -> None:
    trader = long()
    trader.market(10_090, 10_100)
    assert wishes(trader.market(10_070, 10_079)) == [("nothing", 0, 0)]
    assert trader.phase is Phase.ARMED, "the bid was beyond the trigger meanwhile"
    assert trader.market(10_070, 10_079) == []


def test_a_target_seen_only_by_the_far_side_of_a_wide_spread_does_not_arm() -> None:
    trader = long()
    trader.market(10_010, 10_100)
    trader.market(10_010, 10_020)
    assert trader.phase is Phase.HOLDING


def test_the_target_counts_both_fees() -> None:
    """0.1 % paid on 1,000,000, 0.1 % to come: target 10,000 * 1.011 / 0.999, rounded up."""
    trader = Trader(maker_fee_ppm=1_000, taker_fee_ppm=1_000)
    trader.fill(BUY, 100, fee=1_000)
    assert trader.market(10_100, 10_120) == []
    assert wishes(trader.market(10_100, 10_121)) == [("sell", 10_121, 100)]


def test_a_short_position_is_bought_back_at_its_target() -> None:
    trader = short()
    assert trader.market(9_901, 9_902) == []
    assert wishes(trader.market(9_900, 9_902)) == [("buy", 9_900, 100)]
    assert wishes(trader.market(9_890, 9_902)) == [("buy", 9_890, 100)]
    assert wishes(trader.market(9_930, 9_935)) == [("nothing", 0, 0)]


# Break-even


def test_after_a_gain_break_even_is_defended_passively_then_by_crossing() -> None:
    trader = long()
    assert trader.market(10_050, 10_060) == []
    assert trader.phase is Phase.ARMED
    said = trader.market(10_000, 10_002)
    assert wishes(said) == [("sell", 10_002, 100)]
    assert alerts(said) == ["exit_begun"]
    assert wishes(trader.wait(2 * SECOND))[-1] == ("sell!", 9_997, 100)
    assert trader.phase is Phase.DEFENSE_CROSSING


def test_without_the_gain_break_even_is_not_defended() -> None:
    trader = long()
    trader.market(10_049, 10_060)
    assert trader.market(9_990, 9_991) == []


def test_break_even_counts_the_fee_that_was_paid_and_the_one_to_come() -> None:
    """1,000 paid and 0.1 % to come: (1,000,000 + 1,000) / 100 / 0.999 = 10,020.02 is even."""
    trader = Trader(taker_fee_ppm=1_000, profit_target_bps=0, profit_release_bps=0)
    trader.fill(BUY, 100, fee=1_000)
    trader.market(10_071, 10_080)
    assert trader.phase is Phase.ARMED
    assert trader.market(10_022, 10_030) == []
    assert wishes(trader.market(10_021, 10_030)) == [("sell", 10_030, 100)]


def test_a_fee_in_the_base_asset_is_in_the_average_price_already() -> None:
    """1,000 bought, 10 of them paid: 990 for 10,000,000 are 10,101.01 each, and nothing is counted twice."""
    trader = Trader(lots_max=2_000)
    trader.fill(BUY, 1_000, fee=10, asset="AAA")
    at = trader.watch.thresholds
    assert (trader.watch.lots, at.even) == (990, 10_102)
    assert at.stop == 9_900, "but a stop is a distance from the price that was traded at"


def test_a_fee_in_a_third_asset_is_estimated_by_the_configured_rate() -> None:
    trader = Trader(maker_fee_ppm=500, taker_fee_ppm=0)
    trader.fill(BUY, 100, fee=7, asset="CCC")
    assert trader.watch.thresholds.even == 10_005


def test_more_of_it_makes_a_new_average_and_disarms() -> None:
    trader = long()
    trader.market(10_060, 10_062)
    assert trader.phase is Phase.ARMED
    trader.fill(BUY, 100, 10_060)
    assert trader.phase is Phase.HOLDING
    assert trader.watch.thresholds.even == 10_030


def test_less_of_it_keeps_it_armed() -> None:
    trader = long()
    trader.market(10_060, 10_062)
    trader.fill(SELL, 40, 10_062)
    assert (trader.phase, trader.watch.lots) == (Phase.ARMED, 60)


# Loss


def test_a_loss_is_taken_at_the_touch_first_and_follows_it() -> None:
    trader = long()
    assert wishes(trader.market(9_900, 9_903)) == [("sell", 9_903, 100)]
    assert wishes(trader.market(9_895, 9_899)) == [("sell", 9_899, 100)]
    assert wishes(trader.market(9_895, 9_899)) == []
    assert trader.phase is Phase.LOSING_PASSIVE


def test_from_the_deadline_on_it_crosses() -> None:
    trader = long()
    trader.market(9_900, 9_903)
    assert wishes(trader.wait(2 * SECOND - 1)) == [("sell", 9_903, 100)], "renewed at half its life"
    assert wishes(trader.wait(1)) == [("sell!", 9_897, 100)]
    assert trader.phase is Phase.LOSING_CROSSING


def test_a_market_that_runs_away_is_crossed_at_once() -> None:
    trader = long()
    trader.market(9_900, 9_903)
    assert wishes(trader.market(9_850, 9_860)) == [("sell!", 9_847, 100)]


def test_a_gap_through_both_distances_crosses_in_one_step() -> None:
    assert wishes(long().market(9_800, 9_810)) == [("sell!", 9_797, 100)]


def test_without_a_passive_stage_it_crosses_from_the_start() -> None:
    assert wishes(long(passive_ns=0).market(9_900, 9_903)) == [("sell!", 9_897, 100)]


def test_a_crossing_order_that_still_meets_the_touch_is_left_alone() -> None:
    trader = long(passive_ns=0)
    trader.market(9_900, 9_903)
    assert wishes(trader.market(9_898, 9_900)) == []
    assert wishes(trader.market(9_905, 9_909)) == []
    assert wishes(trader.market(9_896, 9_897)) == [("sell!", 9_893, 100)], "it did not meet the bid any more"


def test_a_short_position_is_closed_through_the_ask() -> None:
    trader = short()
    assert wishes(trader.market(10_098, 10_100)) == [("buy", 10_098, 100)]
    assert wishes(trader.market(10_148, 10_150)) == [("buy!", 10_153, 100)]


def test_a_loss_that_has_begun_is_not_called_off() -> None:
    trader = long()
    trader.market(9_900, 9_903)
    assert wishes(trader.market(9_990, 9_991)) == [("sell", 9_991, 100)]


def test_each_fill_is_answered_with_what_is_left_until_nothing_is() -> None:
    trader = long(passive_ns=0)
    trader.market(9_900, 9_903)
    assert wishes(trader.fill(SELL, 60, 9_900)) == [("sell!", 9_897, 40)]
    said = trader.fill(SELL, 40, 9_900)
    assert wishes(said) == [("nothing", 0, 0)]
    assert trader.phase is Phase.FLAT
    assert trader.market(9_000, 9_001) == []


def test_a_pause_is_asked_for_after_a_loss() -> None:
    trader = long(passive_ns=0)
    trader.market(9_900, 9_903)
    assert pauses(trader.fill(SELL, 60, 9_900)) == []
    [pause] = pauses(trader.fill(SELL, 40, 9_900))
    assert pause == CooldownRequested(0, 0, 0, trader.now + 30 * SECOND, "exit at a loss")


def test_no_pause_after_a_stop_that_was_filled_at_a_gain_nor_after_a_defense_that_slipped() -> None:
    trader = long()
    trader.market(9_900, 9_903)
    assert pauses(trader.fill(SELL, 100, 10_001)) == []
    slipped = long()
    slipped.market(10_060, 10_062)
    slipped.market(10_000, 10_002)
    assert pauses(slipped.fill(SELL, 100, 9_990)) == []


def test_a_profit_that_ends_as_a_loss_is_followed_by_the_pause() -> None:
    trader = long(pressure_threshold=0.5)
    trader.market(10_090, 10_100, **LEANING)
    assert trader.phase is Phase.PROFIT_CROSSING
    trader.market(9_900, 9_903)
    assert len(pauses(trader.fill(SELL, 100, 9_900))) == 1


# Pressure


def test_a_leaning_book_takes_the_profit_at_once_by_crossing() -> None:
    trader = long(pressure_threshold=0.5, pressure_ns=200 * MS)
    assert wishes(trader.market(10_090, 10_100, **LEANING)) == [("sell", 10_100, 100)]
    assert wishes(trader.market(10_090, 10_100, 199 * MS, **LEANING)) == []
    assert wishes(trader.market(10_090, 10_100, 1 * MS, **LEANING)) == [("sell!", 10_087, 100)]


def test_a_leaning_book_skips_the_passive_stage_of_a_loss() -> None:
    trader = long(pressure_threshold=0.5)
    assert wishes(trader.market(9_900, 9_903, **LEANING)) == [("sell!", 9_897, 100)]


@pytest.mark.parametrize(
    "signals",
    [
        {"depth_imbalance": -0.8, "pressure": -0.4},
        {"depth_imbalance": -0.4, "pressure": -0.9},
        {"depth_imbalance": 0.8, "pressure": 0.9},
        LEANING | {"warm": False},
    ],
)
def test_depth_and_flow_must_both_lean_against_it(signals: dict[str, float]) -> None:
    trader = long(pressure_threshold=0.5)
    assert wishes(trader.market(9_900, 9_903, **signals)) == [("sell", 9_903, 100)]


def test_a_book_that_stops_leaning_starts_the_time_again() -> None:
    trader = long(pressure_threshold=0.5, pressure_ns=200 * MS)
    trader.market(9_900, 9_903, **LEANING)
    trader.market(9_900, 9_903, 150 * MS)
    assert wishes(trader.market(9_900, 9_903, 100 * MS, **LEANING)) == []
    assert trader.phase is Phase.LOSING_PASSIVE


def test_the_stop_is_nearer_while_the_book_leans() -> None:
    given = {"pressure_threshold": 0.5, "pressure_stop_bps": 40}
    assert long(**given).market(9_960, 9_962) == []
    assert long(**given).market(9_961, 9_962, **LEANING) == []
    assert wishes(long(**given).market(9_960, 9_962, **LEANING)) == [("sell!", 9_957, 100)]


def test_a_book_leans_on_a_short_position_the_other_way() -> None:
    trader = short(pressure_threshold=0.5)
    said = trader.market(10_098, 10_100, depth_imbalance=0.8, pressure=0.9)
    assert wishes(said) == [("buy!", 10_103, 100)]


# Wishes live


def test_a_wish_is_renewed_before_it_expires_while_the_market_is_silent() -> None:
    trader = long()
    trader.market(10_090, 10_100)
    said = trader.wait(10 * SECOND)
    renewed = [message for message in said if isinstance(message, QuoteIntent)]
    assert wishes(said) == [("sell", 10_100, 100)] * 10
    assert {intent.expires_ns - NOW for intent in renewed} == {(n + 2) * SECOND for n in range(1, 11)}
    assert {intent.received_ns for intent in renewed} == {0}, "no frame caused it"


def test_at_most_one_timer_is_set_at_a_time() -> None:
    trader = long()
    said = trader.market(9_900, 9_903)
    for ask in range(9_890, 9_903):
        said += trader.market(9_880, ask, 10 * MS)
    assert len([message for message in said if isinstance(message, SetTimer)]) == 1


def test_a_replaced_timer_is_not_heard() -> None:
    trader = long()
    [timer] = [message for message in trader.market(9_900, 9_903) if isinstance(message, SetTimer)]
    assert trader.tell(TimerFired("exits", 0, timer.generation - 1, timer.fires_ns), 5 * SECOND) == []


def test_a_lost_book_keeps_the_phase_and_its_deadline() -> None:
    trader = long()
    trader.market(9_900, 9_903)
    trader.tell(BOOK_LOST)
    assert wishes(trader.wait(3 * SECOND)) == []
    assert trader.phase is Phase.LOSING_PASSIVE
    assert wishes(trader.market(9_900, 9_903)) == [("sell!", 9_897, 100)]


def test_a_price_from_before_a_flat_time_does_not_judge_the_next_position() -> None:
    trader = long(passive_ns=0)
    trader.market(9_000, 9_001)
    trader.fill(SELL, 100, 9_000)
    assert wishes(trader.fill(BUY, 100, 10_000)) == []
    assert trader.phase is Phase.HOLDING


@pytest.mark.parametrize(("bid", "ask"), [(0, 9_900), (9_900, 0)])
def test_a_book_with_an_empty_side_reaches_nothing_and_moves_nothing(bid: int, ask: int) -> None:
    trader = long()
    assert trader.market(bid, ask) == []
    trader.market(9_900, 9_903)
    assert wishes(trader.market(bid, ask)) == []
    assert wishes(trader.market(bid, ask, SECOND)) == [("sell", 9_903, 100)], "renewed as it is"


def test_what_was_executed_meanwhile_is_not_wished_again_for_want_of_a_price() -> None:
    trader = long(passive_ns=0)
    trader.market(9_900, 9_903)
    trader.market(9_900, 0)
    assert wishes(trader.fill(SELL, 60, 9_900)) == [("sell!", 9_897, 40)]


def test_more_than_one_order_may_have_is_closed_piece_by_piece() -> None:
    trader = long(lots_max=60, passive_ns=0)
    assert wishes(trader.market(9_900, 9_903)) == [("sell!", 9_897, 60)]
    assert wishes(trader.fill(SELL, 60, 9_900)) == [("sell!", 9_897, 40)]


def test_the_venues_own_largest_order_is_kept_to() -> None:
    assert wishes(long(filters=instrument(max_lots=30), passive_ns=0).market(9_900, 9_903)) == [("sell!", 9_897, 30)]


@pytest.mark.parametrize("given", [{"notional_max": 300_000}, {"filters": instrument(max_notional=300_000)}])
def test_an_exit_is_worth_no_more_than_one_order_may_be(given: dict[str, Any]) -> None:
    """30 lots at 9,897 are 296,910 of 300,000; risk would refuse all of it for ever."""
    trader = long(passive_ns=0, **given)
    assert wishes(trader.market(9_900, 9_903)) == [("sell!", 9_897, 30)]
    assert wishes(trader.fill(SELL, 30, 9_900)) == [("sell!", 9_897, 30)]


def test_a_price_off_the_grid_is_rested_behind_and_crossed_beyond() -> None:
    trader = long(filters=instrument(tick=10))
    assert wishes(trader.market(9_895, 9_903)) == [("sell", 991, 100)]
    assert wishes(trader.wait(2 * SECOND))[-1] == ("sell!", 986, 100)


# What is left


def test_what_the_venue_does_not_take_is_left_and_said_once() -> None:
    trader = long(filters=instrument(min_notional=2_000_000))
    said = trader.market(9_900, 9_903)
    assert wishes(said) == []
    assert alerts(said) == ["exit_begun", "exit_left_dust"]
    assert trader.phase is Phase.DUST
    assert trader.market(9_800, 9_803) == []


def test_dust_is_watched_again_once_there_is_more_of_it() -> None:
    trader = long(filters=instrument(min_notional=2_000_000))
    trader.market(9_900, 9_903)
    trader.fill(BUY, 300, 10_000)
    assert wishes(trader.market(9_900, 9_903)) == [("sell", 9_903, 400)]


def test_a_small_remainder_keeps_its_order_for_a_while_and_is_then_let_go() -> None:
    trader = long(filters=instrument(min_lots=10))
    trader.market(9_900, 9_903)
    assert wishes(trader.fill(SELL, 95, 9_903)) == [("sell", 9_903, 5)]
    assert wishes(trader.market(9_895, 9_899)) == [], "moved, it could not be placed again"
    said = trader.wait(SECOND)
    assert wishes(said) == [("nothing", 0, 0)]
    assert alerts(said) == ["exit_ended", "exit_left_dust"]
    assert len(pauses(said)) == 1, "what was sold was sold at a loss"


def test_less_than_a_lot_is_flat_and_said_once() -> None:
    trader = Trader(filters=instrument(quantity_scale=0, base_scale=2), passive_ns=0)
    trader.position(10_050, 1_005_000)
    trader.market(9_000, 9_001)
    said = trader.position(50, 5_000, -1)
    assert wishes(said) == [("nothing", 0, 0)]
    assert trader.phase is Phase.FLAT
    [alert] = [message for message in said if isinstance(message, Alert) and message.event == "exit_left_dust"]
    assert alert.detail == "position=0.5 lots=0 min_lots=1 min_notional=0"


def test_a_refused_remainder_ends_the_exit_at_once() -> None:
    trader = long(filters=instrument(min_lots=10))
    trader.market(9_900, 9_903)
    assert trader.tell(refused(Refusal.QUANTITY_FILTER)) == [], "a part of it, while the rest is being canceled"
    trader.fill(SELL, 95, 9_903)
    assert wishes(trader.tell(refused(Refusal.QUANTITY_FILTER))) == [("nothing", 0, 0)]
    assert trader.phase is Phase.DUST


def test_a_refusal_that_stays_is_said_once_an_exit() -> None:
    trader = long()
    trader.market(9_900, 9_903)
    [alert] = trader.tell(refused(Refusal.PRICE_COLLAR))
    assert alert == Alert(AlertLevel.WARNING, "exits", "exit_refused", 0, "reason=PRICE_COLLAR")
    assert trader.tell(refused(Refusal.PRICE_COLLAR)) == []
    assert trader.tell(refused(Refusal.NOT_REDUCING)) == [], "until the strategy's order is canceled"
    assert trader.tell(refused(Refusal.PRICE_COLLAR, "maker")) == []


@pytest.mark.parametrize(("reason", "wished"), [(Refusal.PRICE_COLLAR, 10_117), (Refusal.STALE_BOOK, 9_897)])
def test_a_crossing_price_that_risk_refuses_is_taken_from_the_market_anew(reason: Refusal, wished: int) -> None:
    """It was left where it was because it meets the bid still; but so far below the bid it is refused for ever."""
    trader = long(passive_ns=0)
    trader.market(9_900, 9_903)
    trader.market(10_120, 10_122)
    trader.tell(refused(reason))
    trader.market(10_120, 10_122)
    assert trader.watch.wish is not None
    assert trader.watch.wish.ticks == wished


def test_a_rejection_by_the_venue_is_said() -> None:
    trader = long()
    trader.market(9_900, 9_903)
    fields = (1, 0, 0, 0, 1, "exits", "id", 0, 1, Side.SELL, 9_903, 100, 0, 0)
    said = trader.tell(OrderUpdate(*fields, OrderStatus.REJECTED, True, Refusal.VENUE_REJECTED, 0))
    assert alerts(said) == ["exit_refused"]
    assert trader.tell(OrderUpdate(*fields, OrderStatus.ACCEPTED, True, Refusal.NONE, 0)) == []


def test_a_position_that_turns_over_is_a_new_one() -> None:
    trader = long(passive_ns=0)
    trader.market(9_900, 9_903)
    said = trader.fill(SELL, 150, 9_900)
    assert wishes(said) == [("nothing", 0, 0)]
    assert len(pauses(said)) == 1
    assert (trader.phase, trader.watch.lots) == (Phase.HOLDING, -50)
    assert trader.watch.thresholds.stop == 9_999


def test_a_position_that_another_instance_left_is_judged_anew() -> None:
    trader = long(taker_fee_ppm=0)
    trader.fill(BUY, 1, fee=5_000)
    trader.market(9_900, 9_903)
    left = PositionUpdate(100, 0, 0, 0, 1, 101, 101, 999_900, -70_000, 9_900.0, taken_over=True)
    said = trader.tell(left)
    assert wishes(said) == [("nothing", 0, 0)]
    assert (trader.phase, pauses(said)) == (Phase.HOLDING, [])
    assert trader.watch.thresholds.even == 9_900, "what the other paid at its entry is not known"


# Trading states, stop, start


@pytest.mark.parametrize("scope", ["engine", "instrument:0", "owner:exits"])
def test_nothing_is_wished_where_reducing_does_not_pass(scope: str) -> None:
    trader = long()
    trader.tell(state(TradingState.CANCEL_ONLY, scope))
    assert trader.market(9_900, 9_903) == []
    assert trader.phase is Phase.HOLDING
    assert wishes(trader.tell(state(TradingState.REDUCING, scope))) == [("sell", 9_903, 100)]


def test_the_states_of_others_are_not_ours() -> None:
    trader = long()
    trader.tell(state(TradingState.HALTED, "instrument:1"))
    trader.tell(state(TradingState.HALTED, "owner:main"))
    assert wishes(trader.market(9_900, 9_903)) == [("sell", 9_903, 100)]


@pytest.mark.parametrize("to", [TradingState.HALTED, TradingState.REDUCING])
def test_a_state_that_does_not_stop_us_leaves_the_wish_in_force(to: TradingState) -> None:
    """Execution drops nothing then: an order that trades is not moved, and a remainder's is not left to itself."""
    crossing = long(passive_ns=0)
    crossing.market(9_900, 9_903)
    crossing.market(9_905, 9_909)
    scope = "instrument:0" if to is TradingState.REDUCING else "instrument:1"
    assert wishes(crossing.tell(state(to, scope))) == []
    assert crossing.watch.wish is not None
    small = long(filters=instrument(min_lots=10))
    small.market(9_900, 9_903)
    small.fill(SELL, 95, 9_903)
    assert alerts(small.tell(state(to, scope))) == []
    assert wishes(small.wait(SECOND)) == [("nothing", 0, 0)]


def test_after_a_halt_the_passive_stage_begins_anew() -> None:
    trader = long()
    trader.market(9_900, 9_903)
    trader.tell(state(TradingState.HALTED))
    assert wishes(trader.wait(5 * SECOND)) == []
    assert wishes(trader.tell(state(TradingState.ACTIVE))) == [("sell", 9_903, 100)]
    assert wishes(trader.wait(2 * SECOND))[-1] == ("sell!", 9_897, 100)


def test_whoever_stops_exits_nothing() -> None:
    trader = long()
    trader.market(9_900, 9_903)
    assert trader.tell(StopRequested("test", trader.now + SECOND)) == []
    assert trader.market(9_000, 9_003) == []
    assert trader.wait(5 * SECOND) == []


def test_new_filters_are_wished_in_as_soon_as_they_have_signals() -> None:
    trader = long()
    trader.market(9_900, 9_903)
    trader.tell(instrument(version=2, tick=10))
    assert trader.market(9_900, 9_903) == []
    [intent] = [said for said in trader.market(9_900, 9_903, version=2) if isinstance(said, QuoteIntent)]
    assert (intent.version, intent.ask_ticks) == (2, 991)


def test_a_new_run_goes_on_where_it_was_with_a_fresh_deadline() -> None:
    trader = long()
    trader.market(9_900, 9_903)
    trader.wait(1_500 * MS)
    trader.restart()
    trader.tell(EngineStarted(0, 2))
    trader.tell(state(TradingState.ACTIVE))
    assert wishes(trader.market(9_900, 9_903)) == [("sell", 9_903, 100)]
    assert wishes(trader.wait(1_999 * MS)) == [("sell", 9_903, 100)]
    assert wishes(trader.wait(1 * MS)) == [("sell!", 9_897, 100)]


def test_a_pause_that_may_not_have_been_heard_is_asked_for_again_at_the_start() -> None:
    """Killed right behind the fact: the journal folds it, and what was said to it is lost."""
    trader = long(passive_ns=0)
    trader.market(9_900, 9_903)
    fold = trader.exits.recovers()
    fold[Fill](
        Fill(9, 0, 0, 0, 1, "exits", "x", 1, 9, SELL, 9_900, 100, 100, 990_000, 0, "BBB", False, False, 0), trader.now
    )
    fold[PositionUpdate](PositionUpdate(9, 0, 0, 0, 1, 0, 0, 0, -10_000, 0.0), trader.now)
    assert len(pauses(trader.tell(EngineStarted(0, 2), SECOND))) == 1
    assert pauses(trader.tell(EngineStarted(0, 3), 30 * SECOND)) == []


def test_a_journal_folded_before_any_instrument_gives_the_same_thresholds() -> None:
    lived = long(maker_fee_ppm=1_000)
    lived.fill(BUY, 50, 10_100, fee=505)
    folded = Trader(started=False, maker_fee_ppm=1_000)
    folded.fill(BUY, 100)
    folded.fill(BUY, 50, 10_100, fee=505)
    folded.tell(folded.filters)
    assert folded.watch.thresholds == lived.watch.thresholds
    assert (folded.phase, folded.watch.lots) == (Phase.HOLDING, 150)


def whole_life(trader: Trader) -> list[Message]:
    """Profit that falls back, break-even, then a second position: stop, passive, crossing, partly filled, done."""
    said = trader.fill(BUY, 100, fee=1_000)
    for bid in (9_999, 10_150, 10_110, 10_080, 10_060, 10_020):
        said += trader.market(bid, bid + 3, 100 * MS)
    said += trader.wait(2_500 * MS)
    said += trader.fill(SELL, 30, 10_017, fee=300) + trader.fill(SELL, 70, 10_017, fee=701)
    said += trader.fill(SELL, 80) + trader.market(9_998, 10_001) + trader.market(10_099, 10_101)
    said += trader.wait(1_300 * MS) + trader.market(10_110, 10_112) + trader.wait(1_000 * MS)
    said += trader.fill(BUY, 50, 10_112) + trader.tell(BOOK_LOST) + trader.market(10_112, 10_115)
    said += trader.fill(BUY, 30, 10_115) + trader.wait(3 * SECOND)
    return said


def test_a_restart_before_every_message_changes_nothing() -> None:
    lived, reborn = Trader(taker_fee_ppm=1_000), Trader(taker_fee_ppm=1_000)
    reborn.restarts = True
    told = whole_life(lived)
    assert whole_life(reborn) == told
    assert reborn.exits.checkpoint() == lived.exits.checkpoint()
    kinds = [name for name, *_ in wishes(told)]
    assert {"sell", "sell!", "buy", "buy!", "nothing"} <= set(kinds), "the life is a whole one"
    assert len(pauses(told)) == 1


def test_the_view_names_the_phase_and_the_prices_that_decide() -> None:
    trader = long()
    trader.market(9_900, 9_903)
    view = trader.exits.view()
    row = view["exits"][0]
    assert (row["phase"], row["wish"].ticks, row["thresholds"].stop) == ("LOSING_PASSIVE", 9_903, 9_900)
    assert view["begun"] == {"stop_loss": 1}
    assert msgspec.json.encode(view)


# Settings


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"profit_target_bps": 0, "profit_release_bps": 0, "break_even_trigger_bps": 0, "stop_loss_bps": 0}, "profit_target_bps"),
        ({"profit_release_bps": 101}, "profit_release_bps"),
        ({"stop_loss_bps": 9_950}, "run_away_bps"),
        ({"pressure_stop_bps": 100, "pressure_threshold": 0.5}, "pressure_stop_bps"),
        ({"pressure_stop_bps": 50}, "pressure_threshold"),
        ({"pressure_threshold": 1.5}, "pressure_threshold"),
        ({"taker_fee_ppm": 1_000_000}, "taker_fee_ppm"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_meant_name_their_field(given: dict[str, int | float], field: str) -> None:
    with pytest.raises(ValueError, match=field):
        ExitsSettings(**(SETTINGS | given))


def test_a_position_in_other_lots_is_the_same_one() -> None:
    """It did not grow: what it had gained stays gained, and the bound of an order is the same amount."""
    trader = long(lots_max=60)
    trader.market(10_060, 10_061)
    assert trader.phase is Phase.ARMED
    for version, lot, lots, most in ((2, 10, 10, 6), (3, 1, 100, 60)):
        trader.tell(instrument(version=version, lot=lot))
        assert (trader.phase, trader.watch.lots) == (Phase.ARMED, lots)
        assert trader.exits.closer.order_max[0].lots == most


def test_a_position_of_less_than_one_new_lot_is_watched_no_more_and_again_when_it_is_one() -> None:
    trader = long(7)
    trader.tell(instrument(version=2, lot=10))
    assert (trader.phase, trader.watch.lots) == (Phase.FLAT, 0)
    trader.tell(instrument(version=3))
    assert (trader.phase, trader.watch.lots) == (Phase.HOLDING, 7)

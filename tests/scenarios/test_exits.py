"""Positions that close themselves, with the whole engine: what reaches the wire, against a strategy that quotes as well.

One BTC lot is 0.00001. The strategy bids for 100 lots while it has none and offers them while it has them; exits count
no fees here, unless a test says so. Bought at 60,000: target 60,060, armed at 60,030, stop 59,880, run away at 59,820.
"""

from pathlib import Path

import pytest

from actors.exits.phases import Phase
from bus.messages import (
    Control,
    CooldownRequested,
    Message,
    OperatorCommand,
    PositionUpdate,
    QuoteIntent,
    StrategyQuarantined,
    SubmitOrder,
)
from gateway.simulated.core.orders import Side as VenueSide
from ops.assembly import build_actors
from ops.config import ConfigError, parse
from tests.support.days import wrong
from tests.support.house import CONFIG
from tests.support.mortal import MortalWorld
from tests.support.replay import Replay
from tests.support.stage import MS, QUANTITY, Stage
from tests.support.world import CONFIG as WORLD
from tests.support.world import NONE, SYMBOLS

BASE = (
    CONFIG.split("[strategy.parameters]")[0] + "[strategy.parameters]\nquantity_lots = 100\nmax_position_lots = 100\n"
)
EXITS: dict[str, float] = {
    "profit_target_bps": 10,
    "profit_release_bps": 2,
    "break_even_trigger_bps": 5,
    "stop_loss_bps": 20,
    "run_away_bps": 10,
    "passive_ms": 2_000,
    "cross_ticks_max": 10,
    "maker_fee_ppm": 0,
    "taker_fee_ppm": 0,
    "cooldown_ms": 30_000,
}
WARM_MS = 300  # every window below is filled by then
SHORT_WINDOWS = (
    "\n[microstructure]\nflow_window = 1\nspread_window = 1\npressure_window_ms = 150\nflicker_window_ms = 150\n"
)


def exits_section(**changed: float) -> str:
    rows = "".join(f"{name} = {value}\n" for name, value in (EXITS | changed).items())
    return f"\n[exits]\nenabled = true\n{rows}"


def config(more: str = "", **changed: float) -> str:
    return f"{BASE}{exits_section(**changed)}{more}"


class Held(Stage):
    """100 lots bought at 60,000.00, and the strategy's offer of them resting at the touch. `offer`: its id."""

    def __init__(self, text: str = "", fee: str = "0.0") -> None:
        super().__init__(text or config(), quotes=False)
        self.levels = ["60000.00", "59990.00", "59980.00"], ["60000.10", "60010.00"]
        [bid] = self.submits()
        self.accept(bid)
        self.execute(bid, "60000.00", fee=fee)
        self.tick()
        self.offer = self.submits()[-1]
        self.accept(self.offer)
        assert (self.position(), self.phase()) == (100, Phase.HOLDING)
        self.seen = len(self.submits())

    def market(self, bid: str, ask: str, after_ms: float = 100, bid_size: str = "1.0", ask_size: str = "1.0") -> None:
        """The whole book is this touch."""
        self.house.wait(after_ms)
        bids = [[price, "0"] for price in self.levels[0] if price != bid]
        asks = [[price, "0"] for price in self.levels[1] if price != ask]
        self.levels = [bid], [ask]
        self.depth([*bids, [bid, bid_size]], [*asks, [ask, ask_size]])

    def phase(self) -> Phase:
        return Phase[self.house.actor("exits").view()["exits"][0]["phase"]]

    def execute(self, order: str, price: str, quantity: str = QUANTITY, done: str = "", fee: str = "0.0") -> None:
        """An execution; `done`: cumulative, the whole order if not said."""
        self.trade_id += 1
        whole = next(row["quantity"] for row in self.all_submits if row["newClientOrderId"] == order)
        cumulative = done or quantity
        state = "FILLED" if float(cumulative) == float(whole) else "PARTIALLY_FILLED"
        self.report(
            order, "TRADE", state, q=whole, p=price, l=quantity, z=cumulative, L=price, t=self.trade_id, m=True, n=fee,
            N="USDT", Y=f"{float(quantity) * float(price):.8f}", Z=f"{float(cumulative) * float(price):.8f}",
        )  # fmt: skip

    def last_order(self) -> str:
        return self.submits()[-1]

    def trade(self, number: int, price: str, *, sell: bool) -> None:
        """A public trade of 0.5; sell: its aggressor sold."""
        now_ms = self.house.clock.now_ns() // MS
        row = {
            "e": "trade",
            "E": now_ms,
            "s": "BTCUSDT",
            "t": number,
            "p": price,
            "q": "0.50000000",
            "T": now_ms,
            "m": sell,
        }
        self.house.receive(self.house.frame("btcusdt@trade", **row))

    def cancel_confirmed(self, order: str) -> None:
        self.answer_cancel(order)
        self.canceled(order)

    def new_orders(self) -> list[tuple[str, str, str, str]]:
        """(side, type, price, quantity) of the orders sent since the last look."""
        rows = [(row["side"], row["type"], row["price"][:-6], row["quantity"][:-3]) for row in self.all_submits]
        new, self.seen = rows[self.seen :], len(rows)
        return new

    def pauses(self) -> list[CooldownRequested]:
        return self.house.said(CooldownRequested)


def test_at_the_target_the_strategys_offer_makes_way_and_the_exit_rests_there() -> None:
    stage = Held()
    stage.market("60050.00", "60060.00")
    assert (stage.phase(), stage.cancels(), stage.new_orders()) == (Phase.TAKING_PROFIT, [stage.offer], [])
    stage.cancel_confirmed(stage.offer)
    assert stage.new_orders() == [("SELL", "LIMIT_MAKER", "60060.00", "0.00100")]
    exit_ = stage.last_order()
    stage.accept(exit_)
    stage.market("60049.00", "60059.00")
    stage.execute(exit_, "60060.00", "0.00040000")
    assert (stage.position(), stage.new_orders()) == (60, []), "what is left of the wish rests already"
    stage.execute(exit_, "60060.00", "0.00060000", done=QUANTITY)
    assert (stage.position(), stage.phase()) == (0, Phase.FLAT)
    stage.market("60049.00", "60061.00")
    assert stage.new_orders() == [("BUY", "LIMIT_MAKER", "60049.00", "0.00100")], (
        "the strategy has its instrument again"
    )
    assert stage.pauses() == []


def test_while_an_exit_acts_the_strategy_is_held_at_nothing() -> None:
    stage = Held()
    stage.market("60050.00", "60060.00")
    stage.cancel_confirmed(stage.offer)
    stage.new_orders()
    stage.accept(stage.last_order())
    for _ in range(30):
        stage.tick()
    assert stage.new_orders() == []
    assert stage.house.actor("execution").view()["ruled"] == [0]
    assert any(wish.owner == "main" and wish.ask_lots for wish in stage.house.said(QuoteIntent))


def test_a_market_that_falls_back_from_the_target_gives_the_position_back_to_the_strategy() -> None:
    stage = Held()
    stage.market("60050.00", "60060.00")
    stage.cancel_confirmed(stage.offer)
    exit_ = stage.last_order()
    stage.accept(exit_)
    stage.new_orders()
    stage.market("60035.00", "60040.00")
    assert (stage.phase(), stage.cancels()[-1]) == (Phase.ARMED, exit_)
    stage.cancel_confirmed(exit_)
    assert stage.new_orders() == [("SELL", "LIMIT_MAKER", "60040.00", "0.00100")]


def test_after_a_gain_the_position_is_closed_at_break_even() -> None:
    """Passive at the touch, and from the deadline on through the bid."""
    stage = Held()
    stage.market("60031.00", "60040.00")
    stage.market("60000.00", "60001.00")
    assert stage.phase() is Phase.DEFENDING
    for order in stage.cancels():
        stage.cancel_confirmed(order)
    assert stage.new_orders()[-1] == ("SELL", "LIMIT_MAKER", "60001.00", "0.00100")
    first = stage.last_order()
    stage.accept(first)
    stage.house.wait(2_000)
    stage.cancel_confirmed(first)
    assert stage.new_orders() == [("SELL", "LIMIT", "59999.90", "0.00100")]
    stage.accept(stage.last_order())
    stage.execute(stage.last_order(), "60000.00")
    assert (stage.position(), stage.phase(), stage.pauses()) == (0, Phase.FLAT, [])


def losing() -> Held:
    """The stop was reached; the passive order follows the touch and rests there."""
    stage = Held()
    stage.market("59880.00", "59881.00")
    stage.cancel_confirmed(stage.offer)
    assert stage.new_orders() == [("SELL", "LIMIT_MAKER", "59881.00", "0.00100")]
    stage.accept(stage.last_order())
    return stage


def test_a_loss_is_taken_passively_then_by_crossing_and_is_followed_by_a_pause() -> None:
    stage = losing()
    first = stage.last_order()
    stage.market("59878.00", "59879.00")
    stage.cancel_confirmed(first)
    assert stage.new_orders() == [("SELL", "LIMIT_MAKER", "59879.00", "0.00100")], "with the touch"
    second = stage.last_order()
    stage.accept(second)
    stage.house.wait(2_000)
    stage.cancel_confirmed(second)
    assert stage.new_orders() == [("SELL", "LIMIT", "59877.90", "0.00100")], "ten ticks through the bid"
    stage.accept(stage.last_order())
    stage.execute(stage.last_order(), "59878.00")
    [pause] = stage.pauses()
    assert (pause.instrument, pause.until_ns) == (0, stage.house.clock.now_ns() + 30_000 * MS)
    assert stage.position() == 0


def test_after_a_loss_the_strategy_buys_nothing_until_the_pause_is_over() -> None:
    stage = losing()
    stage.execute(stage.last_order(), "59881.00")
    assert stage.position() == 0
    stage.new_orders()
    for second in range(29):
        stage.market("59870.00", f"59871.{second:02}", after_ms=1_000)
    assert stage.new_orders() == []
    stage.market("59870.00", "59872.00", after_ms=1_000)
    stage.market("59870.00", "59873.00", after_ms=1_000)
    stage.market("59870.00", "59874.00", after_ms=1_000)
    assert stage.new_orders() == [("BUY", "LIMIT_MAKER", "59870.00", "0.00100")]


def test_a_market_that_runs_away_is_crossed_without_waiting() -> None:
    stage = losing()
    first = stage.last_order()
    stage.market("59820.00", "59830.00", after_ms=10)
    assert (stage.phase(), stage.cancels()[-1]) == (Phase.LOSING_CROSSING, first)
    stage.cancel_confirmed(first)
    assert stage.new_orders() == [("SELL", "LIMIT", "59819.90", "0.00100")]


def test_a_fill_of_the_canceled_order_is_not_sold_a_second_time() -> None:
    """The passive order is filled in part while its cancel is on the way: what crosses is the rest."""
    stage = losing()
    first = stage.last_order()
    stage.market("59820.00", "59830.00", after_ms=10)
    stage.execute(first, "59881.00", "0.00070000")
    stage.answer_cancel(first)
    stage.canceled(first, "0.00070000")
    assert stage.new_orders() == [("SELL", "LIMIT", "59819.90", "0.00030")]
    stage.accept(stage.last_order())
    stage.execute(stage.last_order(), "59820.00", "0.00030000")
    assert (stage.position(), stage.phase()) == (0, Phase.FLAT)


def test_a_book_that_leans_and_trades_against_it_skips_the_passive_stage() -> None:
    stage = Held(config(SHORT_WINDOWS, pressure_threshold=0.5, pressure_ms=0))
    stage.market("60000.00", "60000.10", after_ms=WARM_MS)
    for number in range(5):
        stage.trade(number, "60000.00", sell=True)
    stage.market("59880.00", "59881.00", ask_size="9.0")
    stage.cancel_confirmed(stage.offer)
    assert stage.phase() is Phase.LOSING_CROSSING
    assert stage.new_orders() == [("SELL", "LIMIT", "59879.90", "0.00100")]


def test_without_the_trades_a_leaning_book_alone_hurries_nothing() -> None:
    stage = Held(config(SHORT_WINDOWS, pressure_threshold=0.5, pressure_ms=0))
    stage.market("60000.00", "60000.10", after_ms=WARM_MS)
    stage.market("59880.00", "59881.00", ask_size="9.0")
    assert stage.phase() is Phase.LOSING_PASSIVE


def test_a_lost_book_takes_the_exit_back_and_a_live_one_brings_it_again() -> None:
    stage = losing()
    exit_ = stage.last_order()
    stage.lose_a_frame()
    assert (stage.cancels()[-1], stage.phase()) == (exit_, Phase.LOSING_PASSIVE)
    stage.cancel_confirmed(exit_)
    stage.house.wait(300)
    stage.depth([], [])
    stage.house.answer_snapshot(stage.sequence, [["59870.00", "1.0"]], [["59871.00", "1.0"]])
    stage.depth([["59860.00", "1.0"]], [])
    assert stage.new_orders() == [("SELL", "LIMIT_MAKER", "59871.00", "0.00100")]


def test_an_operators_reduce_leaves_the_exit_to_work_and_a_halt_does_not() -> None:
    stage = losing()
    exit_ = stage.last_order()
    stage.house.post(OperatorCommand(Control.REDUCE, -1, "test"))
    stage.market("59880.00", "59881.00", bid_size="2.0")
    assert exit_ not in stage.cancels()
    stage.house.post(OperatorCommand(Control.HALT, -1, "test"))
    assert stage.cancels()[-1] == exit_
    stage.cancel_confirmed(exit_)
    stage.house.wait(5_000)
    assert stage.new_orders() == []


def test_break_even_counts_what_the_entry_paid_and_what_the_exit_will() -> None:
    """0.06 USDT paid for 60 (0.1 %) and 0.1 % to come: even is (60 + 0.06) / 0.999 = 60.12012, a price of 60,120.12."""
    rate = {"maker_fee_ppm": 1_000, "taker_fee_ppm": 1_000}
    stage = Held(config(profit_target_bps=0, profit_release_bps=0, **rate), fee="0.06000000")
    assert stage.house.actor("exits").view()["exits"][0]["entry_fees"] == 6_000_000
    stage.market("60151.00", "60152.00")
    stage.market("60120.13", "60130.00")
    assert stage.phase() is Phase.ARMED
    stage.market("60120.12", "60130.00")
    assert stage.phase() is Phase.DEFENDING


# Restarts


def test_a_restart_before_every_input_of_a_loss_changes_nothing() -> None:
    stage = losing()
    stage.house.wait(2_000)
    stage.cancel_confirmed(stage.last_order())
    stage.accept(stage.last_order())
    stage.execute(stage.last_order(), "59878.00")
    replay = Replay(parse(config()), stage.house.instruments)
    for row in stage.house.input_log.records:
        assert not replay.differs(row), f"the outputs of input {row[1] - 1} differ"
        replay.take(row)
        replay = replay.restarted()
    assert replay.host.digest == stage.house.host.digest
    assert len(stage.pauses()) == 1


ONLY_ETH = WORLD.replace('"0.02"', '"0"').replace('"-0.02"', '"0"')
"""Its touch gives way to the crowd; that of BTC stands for minutes."""


class MortalOnce(MortalWorld):
    """The engine is killed at one record of its first life; -1: never. Whatever we hold, the market runs against it."""

    def __init__(self, folder: Path, record: int) -> None:
        self._record = record
        near = {"profit_target_bps": 2, "profit_release_bps": 1, "break_even_trigger_bps": 1, "stop_loss_bps": 1}
        super().__init__(
            3, NONE, folder, 1, ONLY_ETH + exits_section(**near, run_away_bps=2, passive_ms=300, cooldown_ms=0)
        )

    def _count_out(self) -> None:
        self.journal.left = self._record if self.kills == 0 else -1
        self.journal.behind = self._record % 2 == 0

    def trades_again(self) -> bool:
        return self.kills == 1 and self.begun and self.is_ready()

    def held(self) -> dict[int, int]:
        lots: dict[int, int] = self.house.actor("execution").view()["position_lots"]
        return {number: held for number, held in lots.items() if held}

    def start(self) -> None:
        super().start()
        self._push()

    def _push(self) -> None:
        """Every 0.7 s the crowd takes what stands against our position."""
        self.later(700, self._push)
        for number, lots in self.held().items():
            self.take(SYMBOLS[number], VenueSide.SELL if lots > 0 else VenueSide.BUY, 200 * 10**8)


def first_exit(journal: list[Message]) -> range:
    """Indices of the records from the position that opened to behind the one that closed by an exit."""
    sent = next(n for n, fact in enumerate(journal) if isinstance(fact, SubmitOrder) and fact.owner == "exits")
    moved = [n for n, fact in enumerate(journal) if isinstance(fact, PositionUpdate)]
    opened = max(n for n in moved if n < sent)
    closed = next(n for n in moved if n > sent and journal[n].position_lots == 0)  # type: ignore[attr-defined]  # see `moved`
    return range(opened, closed + 2)


def test_killed_at_any_record_of_an_exit_the_next_life_closes_the_position(tmp_path: Path) -> None:
    """The end is the same for each: strategies are told to reduce, and only exits are left to close what is held."""
    whole = MortalOnce(tmp_path / "whole", -1)
    whole.start()
    whole.run(4.0)
    whole.close()
    journal = whole.journal.messages()
    orders = [journal[n] for n in first_exit(journal)]
    assert {order.post_only for order in orders if isinstance(order, SubmitOrder) and order.owner == "exits"} == {
        True,
        False,
    }
    for record in first_exit(journal):
        world = MortalOnce(tmp_path / str(record), record + 1)
        world.start()
        world.run(20.0, world.trades_again)
        world.house.post(OperatorCommand(Control.REDUCE, -1, "test"))
        world.run(60.0, lambda world=world: not world.held())
        assert (world.kills, world.held()) == (1, {}), f"killed at {record}"
        world.finish()
        world.close()
        assert wrong(world) == [], f"killed at {record}"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"profit_release_bps": 11}, r"\[exits\]: profit_release_bps .*; write"),
        ({"pressure_threshold": -0.5}, r"\[exits\]: pressure_threshold -0.5 is outside 0 to 1"),
        ({"passive_ms": -1}, r"\[exits\] passive_ms: -1 is too small; the least is 0"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_before_a_start(changed: dict[str, float], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        build_actors(parse(config(**changed)), [])


def test_exits_close_what_a_quarantined_strategy_left() -> None:
    """Its offer is pulled with it; the stop loss does not need it."""
    stage = Held()
    stage.house.post(StrategyQuarantined("main", "it raised"))
    assert stage.cancels() == [stage.offer]
    stage.cancel_confirmed(stage.offer)
    stage.new_orders()
    stage.market("59870.00", "59880.00")
    assert [row[0] for row in stage.new_orders()] == ["SELL"]

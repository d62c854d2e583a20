"""The way out at a person's word, message by message. One tick is 1, one lot is 1; the mid is 10,000 unless a test says so."""

from typing import Any

import pytest

from actors.exits import Exits, ExitsSettings, FlattenSettings, OrderMax
from bus.messages import (
    Alert,
    AlertLevel,
    AnswerKind,
    BookReason,
    BookState,
    BookStateChanged,
    CommandAnswered,
    Control,
    EngineStarted,
    Instrument,
    Mark,
    Message,
    OperatorCommand,
    OrderRefused,
    PositionUpdate,
    QuoteIntent,
    Refusal,
    SetTimer,
    Side,
    StopPolicy,
    StopRequested,
    TimerFired,
)
from tests.actors.exits.builders import NOW, SECOND, instrument

FOLLOWS, DONE, FAILED = AnswerKind
FLATTEN = OperatorCommand(Control.FLATTEN, -1, "out", asker="me")


class Desk:
    """Exits switched off: what a person asks for goes on all the same."""

    def __init__(self, *filters: Instrument, lots_max: int = 1_000, rules: ExitsSettings | None = None) -> None:
        self.filters = filters or (instrument(),)
        most = {row.instrument: OrderMax(lots_max, collar_bps=30) for row in self.filters}
        self.exits = Exits(rules, most, FlattenSettings(seconds_ns=10 * SECOND))
        self.now, self.number = NOW, 0
        self.timer: SetTimer | None = None
        for row in self.filters:
            self.tell(row)
        self.tell(EngineStarted(0, 1))

    def tell(self, message: Message) -> list[Message]:
        out = list(self.exits.receive(message, self.now))
        for row in out:
            if isinstance(row, SetTimer):
                self.timer = row
        return out

    def hold(self, lots: int, number: int = 0) -> list[Message]:
        self.number += 1
        return self.tell(PositionUpdate(self.number, 0, 0, number, 1, lots, lots, 0, 0, 0.0))

    def mark(self, bid: int, ask: int, number: int = 0) -> list[Message]:
        return self.tell(Mark(number, 1, 7, bid, ask))

    def wait(self, ns: int) -> list[Message]:
        """Time passes, tick by tick."""
        until, out = self.now + ns, list[Message]()
        while self.timer is not None and self.timer.fires_ns <= until:
            timer, self.timer = self.timer, None
            self.now = timer.fires_ns
            out += self.tell(TimerFired("exits", timer.counter, timer.generation, timer.fires_ns))
        self.now = until
        return out


def wishes(out: list[Message]) -> list[tuple[int, int, int]]:
    """(instrument, ticks, signed lots) of each; what is sold is below 0, and 0: taken back."""
    rows = [m for m in out if isinstance(m, QuoteIntent)]
    assert all(row.owner == "operator" and row.reduce_only for row in rows)
    return [(m.instrument, m.bid_ticks or m.ask_ticks, m.bid_lots - m.ask_lots) for m in rows]


def answers(out: list[Message]) -> list[tuple[AnswerKind, str]]:
    rows = [m for m in out if isinstance(m, CommandAnswered)]
    assert all((row.asker, row.control) in (("me", Control.FLATTEN), ("", Control.FLATTEN)) for row in rows)
    return [(m.kind, m.text) for m in rows]


@pytest.mark.parametrize(("lots", "ticks"), [(50, 9_970), (-50, 10_030)])
def test_it_crosses_by_the_narrower_collar_and_never_for_more_than_is_held(lots: int, ticks: int) -> None:
    desk = Desk()
    desk.hold(lots)
    desk.mark(9_995, 10_005)
    out = desk.tell(FLATTEN)
    assert wishes(out) == [(0, ticks, -lots)]
    assert answers(out) == [(FOLLOWS, f"closing AAABBB {lots}")]


def test_while_it_lasts_there_is_news_of_what_is_left() -> None:
    desk = Desk()
    desk.hold(50)
    assert (
        answers(desk.tell(FLATTEN) + desk.wait(7 * SECOND))[1:]
        == [(FOLLOWS, "AAABBB 50 is held, its book is not LIVE")] * 2
    )


def test_nothing_held_is_said_when_what_rested_has_had_time_to_end() -> None:
    desk = Desk()
    assert answers(desk.tell(FLATTEN)) == []
    assert answers(desk.wait(SECOND)) == [(DONE, "nothing is held")]


def test_a_fill_that_crossed_its_cancel_is_closed_too() -> None:
    """Goal: no DONE over a position that a quote opened on its way out. Method: flat, then filled; closed, then filled."""
    desk = Desk()
    desk.mark(9_999, 10_001)
    desk.tell(FLATTEN)
    assert wishes(desk.hold(-5)) == [(0, 10_030, 5)]
    desk.hold(0)
    assert wishes(desk.hold(7)) == [(0, 9_970, -7)]
    out = desk.hold(0) + desk.wait(SECOND)
    assert answers(out) == [(DONE, "AAABBB closed, -5; AAABBB closed, 7")]


def test_a_position_that_such_a_fill_turned_is_closed_the_other_way() -> None:
    desk = Desk()
    desk.hold(50)
    desk.mark(9_999, 10_001)
    assert wishes(desk.tell(FLATTEN)) == [(0, 9_970, -50)]
    assert wishes(desk.hold(-20)) == [(0, 10_030, 20)]
    assert answers(desk.hold(0) + desk.wait(SECOND))[-1][0] is DONE


def test_of_one_instrument_another_ones_fill_is_none_of_its_affair() -> None:
    desk = Desk(instrument(), instrument(instrument=1, venue_symbol="CCCBBB"))
    desk.mark(9_999, 10_001, 1)
    desk.tell(OperatorCommand(Control.FLATTEN, 0, "out", asker="me"))
    assert wishes(desk.hold(5, 1)) == []


def test_an_order_has_no_more_than_one_may_and_the_rest_follows() -> None:
    desk = Desk(lots_max=40)
    desk.hold(100)
    desk.mark(9_999, 10_001)
    assert wishes(desk.tell(FLATTEN))[0][2] == -40
    assert wishes(desk.hold(60))[0][2] == -40
    assert wishes(desk.hold(20))[0][2] == -20
    out = desk.hold(0) + desk.wait(SECOND)
    assert wishes(out) == [(0, 0, 0)]
    assert answers(out) == [(DONE, "AAABBB closed, 100")]


def test_it_is_priced_anew_when_it_crosses_no_more_and_left_alone_while_it_does() -> None:
    desk = Desk()
    desk.hold(50)
    desk.mark(9_999, 10_001)
    assert wishes(desk.tell(FLATTEN)) == [(0, 9_970, -50)]
    assert wishes(desk.mark(9_989, 9_991)) == []
    assert wishes(desk.mark(9_899, 9_901)) == [(0, 9_871, -50)], "rounded toward the mid"
    assert wishes(desk.mark(10_199, 10_201)) == [(0, 10_170, -50)], "it is not sold below the collar of a better market"


def test_a_wish_is_renewed_before_it_expires() -> None:
    desk = Desk()
    desk.hold(50)
    desk.mark(9_999, 10_001)
    desk.tell(FLATTEN)
    assert len(wishes(desk.wait(5 * SECOND))) == 5


def test_without_a_live_book_nothing_is_wished_and_the_time_runs_out() -> None:
    desk = Desk()
    desk.hold(50)
    desk.mark(9_999, 10_001)
    desk.tell(BookStateChanged(0, BookState.INVALID, BookReason.SEQUENCE_GAP, 0))
    out = desk.tell(FLATTEN) + desk.wait(10 * SECOND)
    assert wishes(out) == []
    assert answers(out)[-1] == (FAILED, "not closed in time: AAABBB 50 is held, its book is not LIVE")
    assert wishes(desk.mark(9_999, 10_001)) == []


def test_what_the_venue_would_not_take_is_left_and_said() -> None:
    """Interleaving of a fee in the base asset: 2 lots remain, the venue's least is 5; nothing is wished for them."""
    desk = Desk(instrument(min_lots=5, base_scale=3, lot=1, quantity_scale=0))
    desk.number += 1
    desk.tell(PositionUpdate(desk.number, 0, 0, 0, 1, 2_345, 2, 0, 0, 0.0))
    desk.mark(9_999, 10_001)
    out = desk.tell(FLATTEN) + desk.wait(SECOND)
    assert wishes(out) == []
    assert answers(out)[-1] == (DONE, "AAABBB 2.345 is less than the venue takes as an order")


def test_a_small_remainder_keeps_its_order_for_a_while() -> None:
    desk = Desk(instrument(min_lots=5))
    desk.hold(50)
    desk.mark(9_999, 10_001)
    desk.tell(FLATTEN)
    assert wishes(desk.hold(3)) == [(0, 9_970, -3)]
    out = desk.wait(2 * SECOND)
    assert answers(out) == [(DONE, "AAABBB closed, 47; AAABBB 3 is less than the venue takes as an order")]


def test_a_refusal_is_said_once_a_kind() -> None:
    desk = Desk()
    desk.hold(50)
    desk.mark(9_999, 10_001)
    desk.tell(FLATTEN)
    refused = OrderRefused(0, "operator", 1, Side.SELL, Refusal.TRADING_STATE)
    assert answers(desk.tell(refused)) == [(FOLLOWS, "AAABBB: an order was refused: TRADING_STATE; it is tried again")]
    assert desk.tell(refused) == []
    assert answers(desk.wait(10 * SECOND))[-1][1].endswith("AAABBB 50 is held, last refused: TRADING_STATE")


@pytest.mark.parametrize("control", [Control.HALT, Control.CANCEL_ONLY, Control.REDUCE, Control.RESUME])
def test_another_word_on_trading_ends_it(control: Control) -> None:
    desk = Desk()
    desk.hold(50)
    desk.mark(9_999, 10_001)
    desk.tell(FLATTEN)
    out = desk.tell(OperatorCommand(control, -1, "wait"))
    assert wishes(out) == [(0, 0, 0)]
    assert answers(out) == [(FAILED, f"ended by {control.name}: AAABBB 50 is held")]


def test_words_on_others_do_not_end_it() -> None:
    desk = Desk(instrument(), instrument(instrument=1, venue_symbol="CCCBBB"))
    desk.hold(50)
    desk.hold(70, 1)
    desk.mark(9_999, 10_001, 1)
    out = desk.tell(OperatorCommand(Control.FLATTEN, 1, "out", asker="me"))
    assert wishes(out) == [(1, 9_970, -70)], "one instrument alone"
    for word in (OperatorCommand(Control.HALT, 0, ""), OperatorCommand(Control.HALT, -1, "", "main")):
        assert desk.tell(word) == []
    assert desk.tell(OperatorCommand(Control.CANCEL_ALL, -1, "")) == []


def test_a_stop_that_flattens_has_until_its_deadline_and_the_stop_behind_it_ends_it() -> None:
    desk = Desk()
    desk.hold(50)
    desk.mark(9_999, 10_001)
    out = desk.tell(StopRequested("sigterm", desk.now + 2 * SECOND, StopPolicy.FLATTEN))
    assert wishes(out) == [(0, 9_970, -50)]
    assert answers(desk.wait(2 * SECOND))[-1] == (FAILED, "not closed in time: AAABBB 50 is held")
    desk.tell(StopRequested("sigterm", desk.now + 9 * SECOND, StopPolicy.FLATTEN))
    assert wishes(desk.tell(StopRequested("again", desk.now + SECOND))) == [(0, 0, 0)]


def test_a_checkpoint_in_the_middle_is_gone_on_from_and_a_later_one_takes_its_place() -> None:
    desk = Desk()
    desk.hold(50)
    desk.mark(9_999, 10_001)
    desk.tell(FLATTEN)
    later = Desk()
    later.exits.restore(desk.exits.checkpoint())
    later.tell(instrument())
    later.tell(EngineStarted(0, 2))
    assert wishes(later.mark(9_999, 10_001)) == [(0, 9_970, -50)]
    said = later.tell(OperatorCommand(Control.FLATTEN, -1, "out", asker="you"))
    assert [(row.asker, row.kind) for row in said if isinstance(row, CommandAnswered)] == [
        ("me", FAILED),
        ("you", FOLLOWS),
    ]


def test_positions_come_back_from_the_journal() -> None:
    desk = Desk()
    position: Any = PositionUpdate(1, 0, 0, 0, 1, 50, 50, 0, 0, 0.0)
    desk.exits.recovers()[PositionUpdate](position, NOW)
    desk.mark(9_999, 10_001)
    assert wishes(desk.tell(FLATTEN)) == [(0, 9_970, -50)]


# -- a run that dies in the middle ------------------------------------------------------------------------------------


class Journal:
    """What a next run folds: the position, the command, and what it was answered."""

    def __init__(self, **settings: Any) -> None:
        self.rows: list[tuple[Message, int]] = []
        self.settings = FlattenSettings(seconds_ns=10 * SECOND, **settings)

    def run(self, at: int) -> tuple[Desk, list[Message]]:
        """The next run's desk, and what it said when it began."""
        desk = Desk()
        desk.exits = Exits(None, {0: OrderMax(1_000, collar_bps=30)}, self.settings)
        folds = desk.exits.recovers()
        for message, now in self.rows:
            folds[type(message)](message, now)
        desk.now = at
        desk.tell(instrument())
        return desk, desk.tell(EngineStarted(0, 2))


def position(number: int, lots: int) -> PositionUpdate:
    return PositionUpdate(number, 0, 0, 0, 1, lots, lots, 0, 0, 0.0)


def test_a_flatten_that_a_kill_interrupted_goes_on_until_its_time_is_up() -> None:
    journal = Journal()
    journal.rows = [(position(1, 50), NOW), (FLATTEN, NOW)]
    desk, said = journal.run(NOW + 4 * SECOND)
    [alert] = [row for row in said if isinstance(row, Alert)]
    assert (alert.event, alert.level) == ("flatten_goes_on", AlertLevel.WARNING)
    assert alert.detail == "for 6 s more: AAABBB 50"
    [wish] = [row for row in desk.mark(9_999, 10_001) if isinstance(row, QuoteIntent)]
    assert (wish.owner, wish.ask_lots) == ("operator", 50)
    desk.hold(0)
    assert desk.exits.flatten.lasting is not None, "what the start finds filled is closed too"
    desk.hold(7)
    assert desk.exits.flatten.lasting.numbers == [0]
    desk.now = NOW + 10 * SECOND
    said = desk.tell(TimerFired("exits", -1, desk.exits.flatten.generation, desk.now))
    assert [row.event for row in said if isinstance(row, Alert)] == ["flatten_not_finished"]
    assert desk.exits.flatten.lasting is None


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_flatten_whose_time_was_up_is_told_and_not_gone_on_with(goes_on: bool) -> None:
    journal = Journal(goes_on=goes_on)
    journal.rows = [(position(1, 50), NOW), (FLATTEN, NOW)]
    desk, said = journal.run(NOW + (11 if goes_on else 1) * SECOND)
    [alert] = [row for row in said if isinstance(row, Alert)]
    assert (alert.event, alert.level) == ("flatten_not_finished", AlertLevel.CRITICAL)
    assert alert.detail.endswith("AAABBB 50")
    assert [row for row in desk.mark(9_999, 10_001) if isinstance(row, QuoteIntent)] == []


def test_less_than_a_lot_is_nothing_that_was_not_finished() -> None:
    desk = Desk()
    desk.exits = Exits(None, {}, FlattenSettings(seconds_ns=10 * SECOND))
    folds = desk.exits.recovers()
    folds[PositionUpdate](position(1, 50), NOW)
    folds[OperatorCommand](FLATTEN, NOW)
    desk.now = NOW + 11 * SECOND
    desk.tell(instrument(quantity_scale=0, base_scale=2))
    assert desk.tell(EngineStarted(0, 2)) == []


@pytest.mark.parametrize(
    "rows",
    [
        [FLATTEN, CommandAnswered("me", Control.FLATTEN, -1, DONE, "closed")],
        [FLATTEN, OperatorCommand(Control.HALT, -1, "no")],
        [FLATTEN, OperatorCommand(Control.RESUME, 0, "no")],
        [OperatorCommand(Control.HALT, -1, "no")],
    ],
    ids=["answered", "halted", "resumed", "never"],
)
def test_a_flatten_that_is_over_is_not_gone_on_with(rows: list[Message]) -> None:
    journal = Journal()
    journal.rows = [(position(1, 50), NOW), *((row, NOW) for row in rows)]
    assert journal.run(NOW + SECOND)[1] == []


@pytest.mark.parametrize(
    "rows",
    [
        [CommandAnswered("me", Control.FLATTEN, -1, FOLLOWS, "closing")],
        [CommandAnswered("another", Control.FLATTEN, -1, FAILED, "a later one took its place")],
        [OperatorCommand(Control.CANCEL_ALL, -1, "x"), OperatorCommand(Control.HALT, -1, "x", owner="maker")],
        [OperatorCommand(Control.HALT, 5, "x")],
    ],
    ids=["follows", "of another", "of orders and owners", "elsewhere"],
)
def test_other_words_leave_it_going_on(rows: list[Message]) -> None:
    journal = Journal()
    command = OperatorCommand(Control.FLATTEN, 0, "out", asker="me")
    journal.rows = [(position(1, 50), NOW), (command, NOW), *((row, NOW) for row in rows)]
    assert [row.event for row in journal.run(NOW + SECOND)[1] if isinstance(row, Alert)] == ["flatten_goes_on"]


def test_what_a_stop_closed_is_not_gone_on_with() -> None:
    """Through a checkpoint, which has it: a stop is not a person's standing wish."""
    desk = Desk()
    desk.hold(50)
    desk.tell(StopRequested("sigterm", NOW + 10 * SECOND, StopPolicy.FLATTEN))
    state = desk.exits.checkpoint()
    again = Desk()
    again.exits.restore(state)
    assert again.tell(EngineStarted(0, 2)) == []

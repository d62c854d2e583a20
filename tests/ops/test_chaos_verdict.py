"""What our journal proves against the venue's log, from books that a bad engine would have left: each finding is found."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bus.messages import CancelOrder, Fill, LedgerAdjusted, OrderStatus, OrderUpdate, Refusal, Side, SubmitOrder
from ops.chaos.judge import Placement
from ops.chaos.kills.face import SPOT, USDM
from ops.chaos.kills.ours import OurJournal
from ops.chaos.kills.theirs import Trade, VenueOrder, balances, venue_orders
from ops.chaos.kills.verdict import End, Limits, Verdict, judge, position_of
from ops.chaos.venue_log import EvidenceLost
from tests.support.ids import id_of

SYMBOL = "BTCUSDT"
LIMITS = {SYMBOL: Limits("BTC", order_max=5, position_max=10, position_min=-10, open_orders_max=3, lot=1)}
EVEN = End({"BTC": 7}, {}, {"BTC": 7})


def client_order_id(counter: int, epoch: int = 7) -> str:
    return id_of(epoch, counter)


class Books:
    """Both sides' books of one imagined run; times are the venue's execution ids, and our records' numbers."""

    def __init__(self, tmp: Path) -> None:
        self.ours = OurJournal(tmp / "none")
        self.theirs: list[VenueOrder] = []

    def sent(self, counter: int, at: int, side: Side = Side.BUY, command: int | None = None, offset: int = 0) -> None:
        key = client_order_id(counter)
        self.ours.take(
            at, offset or at,
            SubmitOrder(
                account=0, venue=0, instrument=0, version=1, owner="engine", client_order_id=key, epoch=7,
                command=counter if command is None else command, side=side, price_ticks=1, quantity_lots=5,
                post_only=True, reduce_only=False, update_id=1, received_ns=1, expires_ns=2,
            ),
        )  # fmt: skip

    def canceled(self, counter: int, at: int, offset: int = 0) -> None:
        key = client_order_id(counter)
        self.ours.take(at, offset or at, CancelOrder(0, 0, 0, key, key + "01", 0, 1, 0))

    def booked(self, counter: int, trade_id: int, at: int) -> None:
        key = client_order_id(counter)
        self.ours.take(
            at, at,
            Fill(
                number=1, account=0, venue=0, instrument=0, version=1, owner="engine", client_order_id=key,
                venue_order_id=1, trade_id=trade_id, side=Side.BUY, price=1, quantity=1, quantity_lots=1, quote=1, fee=0,
                fee_asset="BTC", is_maker=True, late=False, venue_ns=1,
            ),
        )  # fmt: skip

    def worked(
        self, counter: int, first: int, last: int | None, *trades: Trade, side: int = 1, quantity: int = 5
    ) -> None:
        """last None: it works still."""
        end = first if last is None else last
        self.theirs.append(
            VenueOrder(client_order_id(counter), SYMBOL, side, quantity, first, end, last is None, trades)
        )

    def verdict(self, end: End | None = EVEN, denied: tuple[str, ...] = ()) -> Verdict:
        if end is EVEN:
            end = EVEN._replace(positions={SYMBOL: position_of(self.theirs, SYMBOL, "BTC")})
        return judge(self.theirs, self.ours, LIMITS, end, denied)


def wrong(verdict: Verdict) -> dict[str, Any]:
    """Only what is not as it should be."""
    found = msgspec.structs.asdict(verdict)
    good = {"ledger_equal": True}
    return {
        name: value
        for name, value in found.items()
        if name not in ("orders", "fills", "found") and value != good.get(name, 0)
    }


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """Two orders, one of them filled and one canceled, as both sides know it."""
    books = Books(tmp_path)
    books.sent(1, at=1)
    books.worked(1, 10, 20, Trade(20, 100, 5, 1, "BTC"))
    books.booked(1, 100, at=2)
    books.sent(2, at=3)
    books.canceled(2, at=4)
    books.worked(2, 21, 30)
    return books


def test_books_that_agree_have_nothing_to_say(books: Books) -> None:
    verdict = books.verdict()
    assert (wrong(verdict), verdict.found) == ({}, ())
    assert (verdict.orders, verdict.fills) == (2, 1)


def test_a_fill_that_nobody_booked_is_lost(books: Books) -> None:
    books.worked(3, 31, 33, Trade(32, 101, 1, 0, "BTC"), Trade(33, 102, 4, 0, "BTC"))
    books.sent(3, at=5)
    books.booked(3, 101, at=6)
    verdict = books.verdict()
    assert wrong(verdict) == {"lost_fills": 1}
    assert verdict.found == (f"fills lost: ('{client_order_id(3)}', 102)",)


def test_a_fill_booked_twice_counts_once_for_each_time_too_many(books: Books) -> None:
    books.booked(1, 100, at=5)
    books.booked(1, 100, at=6)
    assert wrong(books.verdict()) == {"duplicate_fills": 2}


def test_a_fill_that_the_venue_does_not_have_was_invented(books: Books) -> None:
    books.booked(2, 100, at=5)
    assert wrong(books.verdict()) == {"invented_fills": 1}


def test_an_order_that_works_at_the_end_is_an_orphan(books: Books) -> None:
    books.sent(3, at=5)
    books.worked(3, 31, None)
    assert wrong(books.verdict()) == {"orphaned_orders": 1}


@pytest.mark.parametrize(
    ("keys", "accepted", "found"),
    [
        ([client_order_id(1), client_order_id(2)], True, {}),
        ([client_order_id(2)] * 2, False, {"duplicate_orders": 1}),
        ([client_order_id(3)], False, {}),
        ([client_order_id(3)], True, {"unknown_orders": 1}),
        (["web_1"], True, {"unknown_orders": 1}),
    ],
    ids=[
        "each once",
        "refused the second time",
        "never made",
        "made, and not in the journal",
        "an id that is none of ours",
    ],
)
def test_what_the_venue_was_asked_for_counts_as_well(
    books: Books, keys: list[str], accepted: bool, found: dict[str, int]
) -> None:
    """The venue refuses an id that works already: that it was sent twice shows only in the requests."""
    requests = [Placement("client", 1, 7, key, 1, accepted) for key in keys]
    assert wrong(judge(books.theirs, books.ours, LIMITS, EVEN._replace(positions={SYMBOL: 4}), (), requests)) == found


def test_an_order_of_ours_that_the_journal_does_not_know_is_told(books: Books) -> None:
    books.worked(3, 31, 32)
    assert wrong(books.verdict()) == {"unknown_orders": 1}


def test_a_second_order_for_one_command_is_a_duplicate(books: Books) -> None:
    books.sent(3, at=5, side=Side.SELL, command=2)
    books.worked(3, 31, 32, side=-1)
    assert wrong(books.verdict()) == {"duplicate_orders": 1}


def test_one_id_that_made_two_orders_is_a_duplicate(books: Books) -> None:
    books.worked(2, 31, 32)
    assert wrong(books.verdict()) == {"duplicate_orders": 1}


@pytest.mark.parametrize(
    ("canceled", "duplicates"),
    [
        (None, 1),
        ({"at": 6}, 0),
        ({"at": 8}, 1),
        ({"at": 8, "offset": 7}, 0),
    ],
    ids=["never canceled", "canceled before", "canceled after", "canceled in the same step"],
)
def test_a_second_order_while_the_first_lived_is_one_too_many(
    books: Books, canceled: dict[str, int] | None, duplicates: int
) -> None:
    """Unless the first one's cancel had left when the second did: then the venue may well still have it."""
    books.sent(3, at=5)
    books.worked(3, 31, 40)
    if canceled is not None:
        books.canceled(3, **canceled)
    books.sent(4, at=7)
    books.worked(4, 35, 50)
    assert books.verdict().duplicate_orders == duplicates


def test_an_order_that_was_held_up_is_not_the_second_one(books: Books) -> None:
    """Sent first, and canceled as the other was sent; but the venue took it last, and its cancel missed it."""
    books.sent(3, at=5)
    books.canceled(3, at=6, offset=7)
    books.sent(4, at=7)
    books.worked(4, 31, 50)
    books.worked(3, 35, 45)
    assert books.verdict().duplicate_orders == 0


def test_a_cancel_that_is_wanted_and_held_up_is_a_cancel(books: Books) -> None:
    books.sent(3, at=5)
    books.worked(3, 31, 40)
    key = client_order_id(3)
    wanted = OrderUpdate(
        1, 0, 0, 0, 1, "engine", key, 1, 3, Side.BUY, 1, 5, 0, 5, OrderStatus.PENDING_CANCEL, False, Refusal.NONE, 1
    )
    books.ours.take(6, 6, wanted)
    books.sent(4, at=7)
    books.worked(4, 35, 50)
    assert books.verdict().duplicate_orders == 0


def test_an_order_of_the_other_side_is_no_duplicate(books: Books) -> None:
    books.sent(3, at=5)
    books.worked(3, 31, 40)
    books.sent(4, at=6, side=Side.SELL)
    books.worked(4, 32, 50, side=-1)
    assert wrong(books.verdict()) == {}


def test_positions_and_ledgers_are_compared_to_the_last_unit(books: Books) -> None:
    verdict = books.verdict(End({"BTC": 7}, {SYMBOL: 3}, {"BTC": 7}))
    assert wrong(verdict) == {"position_difference": 1}  # 5 bought, 1 of them the fee
    assert wrong(books.verdict(End({"BTC": 7}, {SYMBOL: 4}, {"BTC": 8}))) == {"ledger_equal": False}
    assert wrong(books.verdict(End({"BTC": 7}, {SYMBOL: 4}, {"BTC": 7, "BNB": 1}))) == {"ledger_equal": False}


def test_the_venues_own_rows_of_positions_count_as_well(books: Books) -> None:
    """Both words must be ours: what the orders did, and what the venue holds for us; the worse of both is told."""
    assert wrong(books.verdict(End({"BTC": 7}, {SYMBOL: 4}, {"BTC": 7}, {SYMBOL: 4}))) == {}
    assert wrong(books.verdict(End({"BTC": 7}, {SYMBOL: 4}, {"BTC": 7}, {}))) == {"position_difference": 4}
    assert wrong(books.verdict(End({"BTC": 7}, {SYMBOL: 6}, {"BTC": 7}, {SYMBOL: 6}))) == {"position_difference": 2}


def test_what_was_only_adjusted_is_not_equal(books: Books) -> None:
    """A ledger that was made equal because the venue said so has lost whatever it was."""
    books.ours.take(9, 9, LedgerAdjusted(0, "BTC", 2, "dust"))
    assert wrong(books.verdict()) == {"ledger_equal": False}
    books.ours.take(10, 10, LedgerAdjusted(0, "BTC", -2, "dust"))
    assert wrong(books.verdict()) == {}


def test_a_run_without_a_last_report_has_no_equal_ledger(books: Books) -> None:
    verdict = books.verdict(None)
    assert (verdict.ledger_equal, verdict.position_difference) == (None, 4)


@pytest.mark.parametrize(
    ("orders", "violations"),
    [
        ([(31, None, 5, 1), (32, None, 2, 1)], 0),  # 4 held, 5 and 2 more: 11, one lot above
        ([(31, None, 5, 1), (32, None, 3, 1)], 1),
        ([(31, 32, 5, 1), (33, None, 3, 1)], 0),
        ([(31, None, 6, 1)], 1),
        ([(31, None, 1, 1), (32, None, 1, 1), (33, None, 1, -1)], 0),
        ([(31, None, 1, 1), (32, None, 1, 1), (33, None, 1, -1), (34, None, 1, -1)], 1),
        ([(31, None, 5, -1), (32, None, 5, -1), (33, None, 5, -1)], 0),
        ([(31, None, 5, -1), (32, None, 5, -1), (33, None, 5, -1), (34, None, 1, -1)], 1),
    ],
    ids=[
        "up to the bound", "beyond it at worst", "what ended before does not count", "too large", "as many as may be",
        "too many", "down to the bound", "too many, and short",
    ],
)  # fmt: skip
def test_what_could_have_led_beyond_a_limit_is_a_violation(
    books: Books, orders: list[tuple[int, int | None, int, int]], violations: int
) -> None:
    for counter, (first, last, quantity, side) in enumerate(orders, start=3):
        books.worked(counter, first, last, side=side, quantity=quantity)
    assert books.verdict().limit_violations == violations


@pytest.mark.parametrize(
    ("booked_at", "denied", "violations"),
    [(8, True, 0), (None, True, 0), (5, True, 1), (8, False, 1)],
    ids=["told too late", "never told", "told in time", "the venue had not denied it"],
)
def test_a_fill_that_the_venue_denied_counts_from_when_it_was_told(
    books: Books, booked_at: int | None, denied: bool, violations: int
) -> None:
    """Canceled with nothing executed, it said, and 4 were: 4 held, the 4, and an order of 5 are 13, where 9 were known of."""
    books.sent(3, at=5)
    books.worked(3, 31, 33, Trade(32, 101, 4, 0, "BTC"))
    if booked_at is not None:
        books.booked(3, 101, at=booked_at)
    books.sent(4, at=7)
    books.worked(4, 34, 40)
    found = books.verdict(denied=(client_order_id(3),) if denied else ())
    assert found.limit_violations == violations


def test_no_report_can_hide_what_the_journal_tells(books: Books) -> None:
    """An update that is done takes an order out of those in flight; nothing else does."""
    assert books.ours.in_flight() == 2
    key = client_order_id(2)
    update = OrderUpdate(
        1, 0, 0, 0, 1, "engine", key, 1, 2, Side.BUY, 1, 5, 0, 5, OrderStatus.PENDING_CANCEL, False, Refusal.NONE, 1
    )
    books.ours.take(7, 7, update)
    assert books.ours.in_flight() == 2
    books.ours.take(8, 8, msgspec.structs.replace(update, status=OrderStatus.CANCELED, leaves_lots=0))
    assert books.ours.in_flight() == 1


ROW: dict[str, Any] = {
    "account": "client", "client_order_id": client_order_id(1), "symbol": SYMBOL, "side": "SELL", "quantity": "0.00005",
    "executed": "0.00002", "is_open": False, "executions_dropped": 0,
    "executions": [
        {"execution_id": 3, "kind": "NEW"},
        {"execution_id": 4, "kind": "TRADE", "trade_id": 9, "quantity": "0.00002", "fee": "0.01", "fee_asset": "USDT"},
        {"execution_id": 7, "kind": "CANCELED"},
    ],
}  # fmt: skip
TOLD = {
    "trade_id": 10, "quantity": "0.00003", "maker_client_order_id": client_order_id(1), "taker_client_order_id": "",
    "maker_commission": "0.02", "maker_commission_asset": "USDT",
}  # fmt: skip


def test_the_venues_rows_are_read_in_integers_and_only_ours_count() -> None:
    rejected = {**ROW, "executions": [{"execution_id": 1, "kind": "REJECTED"}]}
    rows = [ROW, rejected, {**ROW, "client_order_id": "web_1"}, {**ROW, "account": "client-2"}]
    trade = Trade(4, 9, 2_000, 1_000_000, "USDT")
    assert venue_orders(rows, [TOLD], "client") == [
        VenueOrder(client_order_id(1), SYMBOL, -1, 5_000, 3, 7, False, (trade,))
    ]


def test_executions_that_an_order_does_not_keep_are_in_the_log_of_trades() -> None:
    """The one that is kept is in it as well, and counts once."""
    kept = {**TOLD, "trade_id": 9, "quantity": "0.00002"}
    row = {**ROW, "executed": "0.00005", "executions": ROW["executions"][:2], "executions_dropped": 1}
    [order] = venue_orders([row], [kept, TOLD], "client")
    assert order.trades == (Trade(4, 9, 2_000, 1_000_000, "USDT"), Trade(4, 10, 3_000, 2_000_000, "USDT"))


def test_orders_whose_executions_are_gone_prove_nothing() -> None:
    with pytest.raises(EvidenceLost, match="executions"):
        venue_orders([{**ROW, "executed": "0.00005", "executions_dropped": 1}], [], "client")


def test_contracts_are_held_by_their_symbols_and_may_be_short() -> None:
    rows = [{"symbol": SYMBOL, "quantity": "-0.002"}]
    ledger = {"accounts": {"client": {"USDT": {"free": "9", "locked": "0"}}}, "positions": {"client": rows}}
    assert USDM.holds(ledger, "client") == {"USDT": 900_000_000, SYMBOL: -200_000}
    assert SPOT.holds(ledger, "client") == {"USDT": 900_000_000}


def test_what_the_venue_holds_is_free_and_locked() -> None:
    ledger = {"accounts": {"client": {"BTC": {"free": "1.5", "locked": "0.25"}}}}
    assert balances(ledger, "client") == {"BTC": 175_000_000}

"""What the futures market does by the clock, on a clock of the test's own: countdowns, GTD, funding, liquidation. No sockets."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.simulated.core.decimals import SCALE
from gateway.simulated.core.errors import VenueError
from gateway.simulated.core.ledger import Ledger, Reason
from gateway.simulated.core.orders import BACKGROUND, AccountId, NewOrder, OrderType, PositionSide, Side, Status
from gateway.simulated.core.settlement import FeeRates
from gateway.simulated.evidence import Evidence
from gateway.simulated.operations import Call
from gateway.simulated.usdm.api import PerpetualApi
from gateway.simulated.usdm.margin import ASSET, CLEARING, INSURANCE
from gateway.simulated.usdm.market import PerpetualMarket
from gateway.simulated.usdm.profiles import perpetual
from gateway.simulated.usdm.table import OPERATIONS

ALICE, BOB = AccountId("alice"), AccountId("bob")
SECOND_NS = 1_000_000_000
NOON_NS = 1_799_971_200 * SECOND_NS  # 2027-01-15 08:00 UTC, a funding time
BOTH = PositionSide.BOTH


class Venue:
    """A futures market with a crowd that stands still, two accounts with 10,000 USDT each, and what their streams were told."""

    def __init__(self) -> None:
        self.now_ns = NOON_NS + SECOND_NS
        profile = perpetual("BTCUSDT")
        assert profile is not None
        self.market = PerpetualMarket(
            [profile], 1, lambda: self.now_ns, Ledger(1_000, may_owe=True), funding_rate=10_000
        )
        for account in (ALICE, BOB):
            self.market.engine.open_account(account, FeeRates(maker_ppm=200, taker_ppm=500))
            self.market.engine.ledger.deposit(account, ASSET, 10_000 * SCALE)
        self.api = PerpetualApi(self.market, (ALICE, BOB), Evidence())
        self.told: list[Any] = []
        self.market.accounts.tell = lambda account, event, now_ns: self.told.append((account, event))  # type: ignore[method-assign]  # an ear

    def ask(self, account: AccountId, name: str, **params: object) -> Any:
        """Return the answer, or the code of what was refused."""
        texts = {key: str(value) for key, value in params.items()}
        try:
            answer = OPERATIONS[name].run(self.api, Call(account, texts, self.now_ns))
        except VenueError as error:
            return error.code
        self.market.publish(self.now_ns)
        return answer

    def place(self, account: AccountId, side: str, quantity: object, price: object = 0, **more: object) -> Any:
        kind: dict[str, object] = (
            {"type": "LIMIT", "timeInForce": "GTC", "price": price} if price else {"type": "MARKET"}
        )
        order = {"symbol": "BTCUSDT", "side": side, "quantity": quantity, "newOrderRespType": "RESULT", **kind, **more}
        return self.ask(account, "order.place", **order)

    def later(self, seconds: float) -> None:
        """Let the clock run on, a tick at a time near the end."""
        self.now_ns += int(seconds * SECOND_NS)
        self.market.chores.tick(self.now_ns)

    def open_orders(self, account: AccountId) -> list[Any]:
        return self.market.engine.registry.open_orders(account)

    def quantity(self, account: AccountId) -> int:
        return self.market.margin.position(account, "BTCUSDT", BOTH).quantity

    def entries(self, reason: Reason) -> list[Any]:
        return [entry for entry in self.market.engine.ledger.entries.rows(0, 1_000) if entry.reason is reason]

    def adds_up(self) -> bool:
        sums = self.market.margin.costs() + self.market.margin.wallet(CLEARING)
        return not self.market.engine.ledger.imbalances() and sums == 0


@pytest.fixture
def venue() -> Venue:
    return Venue()


def test_a_countdown_that_is_refreshed_does_not_fire_and_the_last_one_does(venue: Venue) -> None:
    """The documents' pattern: 120 s, refreshed every 30; it fires once, 120 s after the last word, for that symbol and account."""
    venue.place(ALICE, "BUY", "0.01", "59000")
    venue.place(BOB, "BUY", "0.01", "59000")
    for _ in range(10):
        answer = venue.ask(ALICE, "countdownCancelAll", symbol="BTCUSDT", countdownTime=120_000)
        assert answer == {"symbol": "BTCUSDT", "countdownTime": "120000"}
        venue.later(30)
        assert len(venue.open_orders(ALICE)) == 1
    venue.later(89.99)
    assert len(venue.open_orders(ALICE)) == 1
    venue.later(0.01)
    assert (venue.open_orders(ALICE), len(venue.open_orders(BOB))) == ([], 1)
    assert venue.told[-1][1]["o"]["X"] == "CANCELED"
    venue.place(ALICE, "BUY", "0.01", "59000")
    venue.later(1_000)
    assert len(venue.open_orders(ALICE)) == 1, "it fires once"


def test_a_countdown_of_zero_stops_it(venue: Venue) -> None:
    venue.place(ALICE, "BUY", "0.01", "59000")
    venue.ask(ALICE, "countdownCancelAll", symbol="BTCUSDT", countdownTime=1_000)
    venue.ask(ALICE, "countdownCancelAll", symbol="BTCUSDT", countdownTime=0)
    venue.later(10)
    assert len(venue.open_orders(ALICE)) == 1
    assert venue.ask(ALICE, "countdownCancelAll", symbol="BTCUSDT") == -1102
    assert venue.ask(ALICE, "countdownCancelAll", symbol="XUSDT", countdownTime=1) == -1121


def test_an_order_good_till_a_date(venue: Venue) -> None:
    """It keeps whole seconds, and expires by itself; canceled before, nothing happens then."""
    good_till_ms = venue.now_ns // 1_000_000 + 700_500
    more = {"timeInForce": "GTD", "goodTillDate": good_till_ms}
    kept, canceled = (venue.place(ALICE, "BUY", "0.01", "59000", **more) for _ in range(2))
    assert kept["goodTillDate"] == good_till_ms // 1_000 * 1_000
    venue.ask(ALICE, "order.cancel", symbol="BTCUSDT", orderId=canceled["orderId"])
    venue.later(699)
    assert [order.order_id for order in venue.open_orders(ALICE)] == list(venue.market.chores.good_till)
    venue.later(2)
    orders = venue.market.engine.registry.all_orders(ALICE, "BTCUSDT")
    assert [order.status for order in orders] == [Status.EXPIRED, Status.CANCELED]
    assert venue.market.chores.good_till == {}


def test_funding_is_settled_every_eight_hours(venue: Venue) -> None:
    """Goal: 0.01 % of the notional at the mark goes from long to short, to the last unit. Method: the crowd is the other side."""
    venue.place(ALICE, "BUY", "0.5")
    venue.place(BOB, "SELL", "0.2")
    before = {account: venue.market.margin.wallet(account) for account in (ALICE, BOB, BACKGROUND)}
    venue.later(8 * 3_600 - 2)
    assert venue.market.chores.funding.history("BTCUSDT") == []
    venue.later(2)
    mark = venue.market.margin.marks["BTCUSDT"]
    changes = {account: venue.market.margin.wallet(account) - before[account] for account in before}
    assert changes[ALICE] == -mark // 2 // 10_000
    assert changes[BOB] == pytest.approx(mark / 5 / 10_000, abs=1)
    assert sum(changes.values()) == 0
    assert venue.adds_up()
    [settled] = venue.ask(ALICE, "fundingRate", symbol="BTCUSDT")
    assert (settled["fundingRate"], settled["fundingTime"]) == ("0.00010000", venue.now_ns)
    kinds = [line["incomeType"] for line in venue.ask(ALICE, "income")]
    assert kinds[-1] == "FUNDING_FEE"
    [told] = [
        event["a"] for account, event in venue.told if account == ALICE and event.get("a", {}).get("m") == "FUNDING_FEE"
    ]
    assert (len(told["B"]), told["P"]) == (1, []), "of a crossed position the wallet alone is told"
    assert {(entry.time_ns, entry.order_id, entry.trade_id) for entry in venue.entries(Reason.FUNDING)} == {
        (venue.now_ns, 0, 0)
    }


def sink(venue: Venue, side: Side, towards: Callable[[int], int]) -> None:
    """Move the whole book of bids or offers away, as a crash does: the crowd cancels, and quotes elsewhere."""
    engine = venue.market.engine
    book = engine.instruments["BTCUSDT"].book
    prices = [price for price, _ in book.levels(side)]  # type: ignore[attr-defined]  # a generated book has levels
    for price in prices:
        for order in list(book.level(side, price).orders.values()):  # type: ignore[attr-defined]  # the same
            if order.account == BACKGROUND:
                engine.cancel(order, "", venue.now_ns)
                request = {"side": side, "price": towards(price), "quantity": order.quantity}
                engine.place(_crowd(request), venue.now_ns)


def _crowd(request: dict[str, Any]) -> NewOrder:
    return NewOrder(BACKGROUND, "BTCUSDT", "", request["side"], OrderType.LIMIT, request["quantity"], request["price"])


def test_liquidation(venue: Venue) -> None:
    """Goal: an account whose margin balance falls to its maintenance margin loses its orders and its position, and its wallet
    is filled up to zero; nothing is made or lost by it. Method: 125 times as much as one has, and a crash.
    """
    venue.ask(ALICE, "leverage", symbol="BTCUSDT", leverage=125)
    venue.place(ALICE, "BUY", "15")
    venue.place(ALICE, "SELL", "1", "62000", reduceOnly="true")
    venue.later(1)
    assert venue.quantity(ALICE) == 15 * SCALE
    sink(venue, Side.BUY, lambda price: price - 1_500 * SCALE)
    sink(venue, Side.SELL, lambda price: price - 1_400 * SCALE)
    venue.told.clear()
    venue.later(1)
    assert (venue.quantity(ALICE), venue.open_orders(ALICE)) == (0, [])
    assert venue.market.margin.wallet(ALICE) == 0
    assert venue.market.margin.wallet(INSURANCE) < 0
    assert venue.adds_up()
    reports = [event["o"] for account, event in venue.told if event["e"] == "ORDER_TRADE_UPDATE"]
    assert (reports[0]["X"], reports[0]["er"]) == ("EXPIRED", "5")
    closing = [report for report in reports if report["c"].startswith("autoclose-")]
    assert (closing[0]["x"], closing[0]["X"]) == ("NEW", "NEW")
    assert {report["x"] for report in closing[1:]} == {"CALCULATED"}
    told = [event["a"]["m"] if "a" in event else event["e"] for _, event in venue.told if event["e"] != "TRADE_LITE"]
    assert told[-2:] == ["ORDER", "INSURANCE_CLEAR"], "what it lost is told before what it is given"
    assert [line["incomeType"] for line in venue.ask(ALICE, "income")][-1] == "INSURANCE_CLEAR"
    assert {(entry.account, entry.order_id) for entry in venue.entries(Reason.INSURANCE)} == {
        (INSURANCE, 0),
        (ALICE, 0),
    }


def test_a_wallet_that_its_owner_s_own_trade_brought_below_zero_is_filled_up(venue: Venue) -> None:
    """Method: a crash within a second, and out of the position before the next mark price."""
    venue.ask(ALICE, "leverage", symbol="BTCUSDT", leverage=125)
    venue.place(ALICE, "BUY", "15")
    sink(venue, Side.BUY, lambda price: price - 1_500 * SCALE)
    venue.place(ALICE, "SELL", "15", reduceOnly="true")
    assert venue.quantity(ALICE) == 0
    assert venue.market.margin.wallet(ALICE) < 0
    venue.later(1)
    assert venue.market.margin.wallet(ALICE) == 0
    assert venue.told[-1][1]["a"]["m"] == "INSURANCE_CLEAR"
    assert venue.adds_up()


def test_a_clock_that_is_set_back_stops_nothing(venue: Venue) -> None:
    venue.later(1)
    venue.later(-3_600)
    marks = dict(venue.market.margin.marks)
    venue.market.margin.marks["BTCUSDT"] = 1
    venue.later(1)
    assert venue.market.margin.marks == marks

"""A stage for scenarios: the engine in memory with a LIVE book and its first two quotes, and a venue that says only
what the test tells it to, in the venue's own JSON.

Prices are decimal text as on the wire; quantities too. The engine quotes 0.001 BTC at both touches.
"""

from typing import Any

from bus.messages import (
    Balance,
    BookState,
    ExecutionReport,
    Fill,
    OrderStatus,
    OrderUpdate,
    PrivateStreamUp,
    ReportKind,
    ReportSource,
    Side,
    TradingState,
    VenueQuery,
    VenueState,
)
from ops.assembly import ACCOUNT, VENUE
from tests.support.house import CONFIG, MS, START_NS, House

QUANTITY = "0.00100000"
BALANCES = (Balance("BTC", 10 * 10**8, 0), Balance("USDT", 1_000_000 * 10**8, 0))


class Stage:
    """`bid` and `ask` are the client order ids of the first two quotes."""

    def __init__(self, config: str = CONFIG, *, quotes: bool = True, **house: Any) -> None:
        self.house = House(config, **house)
        self.venue_ids: dict[str, int] = {}
        self.executions = 0
        self.trade_id = 0
        self.sequence = 100
        self.touch = ("60000.00", "60000.10")
        self.house.start(BALANCES)
        self.open_book()
        if quotes:
            self.bid, self.ask = self.submits()

    # -- the market -----------------------------------------------------------------------------------------------

    def open_book(self) -> None:
        """The snapshot and the first diff behind it: LIVE."""
        bid, ask = self.touch
        self.depth([], [])
        self.house.answer_snapshot(
            self.sequence, [[bid, "1.0"], ["59990.00", "2.0"]], [[ask, "1.0"], ["60010.00", "2"]]
        )
        self.depth([["59980.00", "1.0"]], [])

    def open_book_again(self) -> None:
        """After a loss: the spaced snapshot request goes out, and its answer bridges to the diffs of meanwhile."""
        self.house.wait(300)
        self.open_book()

    def depth(self, bids: list[list[str]], asks: list[list[str]]) -> None:
        self.sequence += 1
        self.house.receive(self.house.depth(self.sequence, self.sequence, bids, asks))

    def move(self, bid: str, ask: str) -> None:
        """The touch moves; so do the quotes, once their minimum life is over."""
        self.house.wait(100)
        old_bid, old_ask = self.touch
        self.touch = (bid, ask)
        bids = [[bid, "1.0"]] if bid == old_bid else [[old_bid, "0"], [bid, "1.0"]]
        asks = [[ask, "1.0"]] if ask == old_ask else [[old_ask, "0"], [ask, "1.0"]]
        self.depth(bids, asks)

    def tick(self) -> None:
        """The book changes behind the touch: the strategy thinks again."""
        self.house.wait(100)
        self.depth([["59980.00", f"{1 + self.sequence % 7}.0"]], [])

    def trade(self, price: str, quantity: str, *, seller_took: bool = True) -> None:
        """A public trade, not of ours."""
        self.trade_id += 1
        now_ms = self.house.clock.now_ns() // MS
        self.house.receive(
            self.house.frame(
                "btcusdt@trade", e="trade", E=now_ms, s="BTCUSDT", t=self.trade_id, p=price, q=quantity, T=now_ms,
                m=seller_took, M=True,
            )
        )  # fmt: skip

    def lose_a_frame(self) -> None:
        self.sequence += 3
        self.depth([["59980.00", "3.0"]], [])

    # -- what the engine did --------------------------------------------------------------------------------------

    def requests(self, method: str) -> list[dict[str, Any]]:
        return [request for request in self.house.wire.requests() if request["method"] == method]

    def submits(self) -> list[str]:
        """Client order ids of the new orders on the wire since the last `forget`, in order."""
        return [request["params"]["newClientOrderId"] for request in self.requests("order.place")]

    def cancels(self) -> list[str]:
        return [request["params"]["origClientOrderId"] for request in self.requests("order.cancel")]

    def updates(self, client_order_id: str = "") -> list[OrderUpdate]:
        updates = [m for m in self.house.journal.messages() if isinstance(m, OrderUpdate)]
        return [update for update in updates if client_order_id in ("", update.client_order_id)]

    def status(self, client_order_id: str) -> OrderStatus:
        return self.updates(client_order_id)[-1].status

    def history(self, client_order_id: str) -> list[str]:
        return [update.status.name for update in self.updates(client_order_id)]

    def fills(self) -> list[Fill]:
        return [message for message in self.house.journal.messages() if isinstance(message, Fill)]

    def position(self) -> int:
        """In lots of 0.00001 BTC, fees included."""
        row = self.house.actor("portfolio").view()["positions"].get(0)
        return int(row["position"]) // 1_000 if row else 0

    def trading(self) -> TradingState:
        return TradingState[self.house.actor("risk").view()["states"]["engine"]]

    def reserved(self) -> tuple[int, int]:
        """Risk's worst case beyond the position, lots: (long, short)."""
        view = self.house.actor("risk").view()
        return view["worst_long_lots"][0], view["worst_short_lots"][0]

    def working(self) -> int:
        return int(self.house.actor("orders").view()["working"])

    def questions(self) -> list[str]:
        """Kinds of the account queries that nobody has answered yet."""
        return [message.kind.name for message in self.house.asked if isinstance(message, VenueQuery)]

    def book_state(self) -> BookState:
        return BookState[self.house.actor("orderbook").view()["books"][0]["state"]]

    # -- what the venue says --------------------------------------------------------------------------------------

    def venue_id(self, client_order_id: str) -> int:
        return self.venue_ids.setdefault(client_order_id, 5_000 + len(self.venue_ids))

    def lose_connection(self) -> None:
        """The order connection breaks, as the socket says it."""
        self.house.door._on_close("closed by the test")
        self.house.host.run(1_000)

    def reconnect(self) -> None:
        """The door opens its session again; nobody has answered a query yet."""
        door = self.house.door
        door._socket, door._subscribed = self.house.wire, True  # type: ignore[assignment]  # as after a logon
        door.generation += 1
        self.house.post(PrivateStreamUp(ACCOUNT, door.generation, self.house.clock.now_ns()))

    def answer(self, client_order_id: str) -> None:
        """The submit was done."""
        result = {"symbol": "BTCUSDT", "orderId": self.venue_id(client_order_id), "clientOrderId": client_order_id}
        self.house.venue_says({"id": f"s{client_order_id}", "status": 200, "result": result})

    def refuse(self, client_order_id: str, code: int, text: str) -> None:
        error = {"code": code, "msg": text}
        self.house.venue_says({"id": f"s{client_order_id}", "status": 400, "error": error})

    def answer_cancel(self, client_order_id: str, code: int = 0, text: str = "") -> None:
        if code:
            error = {"code": code, "msg": text}
            self.house.venue_says({"id": f"c{client_order_id}", "status": 400, "error": error})
            return
        result = {"symbol": "BTCUSDT", "orderId": self.venue_id(client_order_id), "clientOrderId": client_order_id}
        self.house.venue_says({"id": f"c{client_order_id}", "status": 200, "result": result})

    def report(self, client_order_id: str, kind: str, state: str, **changed: Any) -> None:
        """One executionReport of the private stream. `changed`: single fields of it by the venue's letters."""
        self.executions += 1
        submit = next((r for r in self.all_submits if r["newClientOrderId"] == client_order_id), None)
        side = submit["side"] if submit else "BUY"
        price = submit["price"] if submit else "60000.00"
        now_ms = self.house.clock.now_ns() // MS
        event: dict[str, Any] = {
            "e": "executionReport", "E": now_ms, "s": "BTCUSDT", "c": client_order_id, "S": side, "o": "LIMIT_MAKER",
            "f": "GTC", "q": QUANTITY, "p": price, "P": "0.0", "F": "0.0", "g": -1, "C": "", "x": kind, "X": state,
            "r": "NONE", "i": self.venue_id(client_order_id), "l": "0.0", "z": "0.0", "L": "0.0", "n": "0", "N": None,
            "T": now_ms, "t": -1, "I": self.executions, "w": False, "m": False, "M": False, "O": now_ms, "Z": "0.0",
            "Y": "0.0", "Q": "0.0", "W": now_ms, "V": "NONE",
        }  # fmt: skip
        self.house.venue_says({"subscriptionId": 0, "event": event | changed})

    @property
    def all_submits(self) -> list[dict[str, Any]]:
        return [r["params"] for r in self.house.wire.requests() if r["method"] == "order.place"]

    def accept(self, client_order_id: str) -> None:
        self.answer(client_order_id)
        self.report(client_order_id, "NEW", "NEW")

    def fill(
        self, client_order_id: str, quantity: str = QUANTITY, cumulative: str = "", trade: int = 0, **changed: Any
    ) -> None:
        """An execution at 60,000; a buy pays no fee, so that a fill of 100 lots is a position of 100 lots."""
        self.trade_id = trade or self.trade_id + 1
        done = cumulative or quantity
        quote = f"{float(quantity) * 60_000:.8f}"
        self.report(
            client_order_id, "TRADE", "FILLED" if float(done) == float(QUANTITY) else "PARTIALLY_FILLED",
            l=quantity, z=done, L="60000.00", t=self.trade_id, m=True, Y=quote, Z=f"{float(done) * 60_000:.8f}",
            **({"n": "0.0", "N": "USDT"} | changed),
        )  # fmt: skip

    def canceled(self, client_order_id: str, executed: str = "0.0") -> None:
        """As the venue says it: the report bears the cancel's id, the order's own stands in C."""
        self.report(client_order_id, "CANCELED", "CANCELED", c=f"x{client_order_id}", C=client_order_id, z=executed)

    def found(
        self, client_order_id: str, kind: ReportKind = ReportKind.SNAPSHOT, state: VenueState = VenueState.WORKING,
        executed: int = 0, trade_id: int = -1, last: int = 0,
    ) -> ExecutionReport:  # fmt: skip
        """A row of a query's answer; quantities in lots."""
        submit = next((r for r in self.all_submits if r["newClientOrderId"] == client_order_id), None)
        side = Side[submit["side"]] if submit else Side.BUY
        price, lot, now_ns = 60_000 * 10**8, 1_000, self.house.clock.now_ns()
        quote = executed * lot * 60_000
        return ExecutionReport(
            ACCOUNT, VENUE, 0, ReportSource.QUERY, kind, state, state.name, client_order_id,
            self.venue_id(client_order_id), side, price, 100 * lot, executed * lot, quote, trade_id,
            last * lot, price if last else 0, last * lot * 60_000, 0, "USDT", True, 0, now_ns, now_ns, "", "BTCUSDT",
        )  # fmt: skip

    def settle(self, seconds: float = 30.0, **found: tuple[Any, ...]) -> None:
        """Let time pass and answer every query: with `found` by kind, else that there is nothing."""
        for _ in range(int(seconds * 10)):
            self.house.wait(100)
            self.house.answer_queries(BALANCES, **found)


__all__ = ["BALANCES", "MS", "QUANTITY", "START_NS", "Stage"]

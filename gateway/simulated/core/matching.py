"""The matching engine: takes orders, matches them, moves the money, reports every fact. Pure: no I/O, no clock.

Time comes in as `now_ns`. What happened waits in `executions` and `trades`, and as `settlement.touched`, until the host
drains them.
"""

from .decimals import quote_amount
from .errors import duplicate_order, insufficient_balance, invalid_symbol, unknown_order, would_take
from .filters import AveragePrice, SymbolRules, check_filters
from .ledger import Ledger
from .orders import (
    BACKGROUND,
    AccountId,
    AccountTrade,
    Execution,
    ExecutionKind,
    Liquidity,
    NewOrder,
    Offer,
    Order,
    OrderType,
    PreventedMatch,
    PublicTrade,
    SelfTradePrevention,
    Side,
    Status,
    TimeInForce,
)
from .registry import OrderRegistry
from .settlement import FeeRates, Settlement


class Instrument:
    """One listed symbol: its rules, its book, its counters."""

    def __init__(self, rules: SymbolRules, book: Liquidity) -> None:
        self.rules = rules
        self.book = book
        self.average = AveragePrice(rules.average_minutes)
        self.last_trade_id = 0

    def reference_price(self, now_ns: int) -> int | None:
        average = self.average.value(now_ns)
        return self.book.middle() if average is None else average


class MatchingEngine:
    def __init__(self, ledger: Ledger) -> None:
        self.settlement = Settlement(ledger)
        self.instruments: dict[str, Instrument] = {}
        self.registry = OrderRegistry()
        self.executions: list[Execution] = []
        self.trades: list[PublicTrade] = []
        self.trade_count = 0
        self._last_order_id = 0
        self._last_execution_id = 0
        self._last_match_id = -1  # the venue's first prevented match is 0 (stp_faq.md)

    def list_instrument(self, rules: SymbolRules, book: Liquidity) -> Instrument:
        assert rules.symbol not in self.instruments, rules.symbol
        instrument = self.instruments[rules.symbol] = Instrument(rules, book)
        return instrument

    def open_account(self, account: AccountId, fees: FeeRates) -> None:
        self.settlement.open_account(account, fees)

    @property
    def ledger(self) -> Ledger:
        return self.settlement.ledger

    def instrument(self, symbol: str) -> Instrument:
        found = self.instruments.get(symbol)
        if found is None:
            raise invalid_symbol()
        return found

    # ---- commands

    def check(self, request: NewOrder, now_ns: int) -> None:
        """Raise what `place` would raise for the request itself, its balance and its price; change nothing."""
        instrument = self.instrument(request.symbol)
        if request.account != BACKGROUND:
            open_orders = self.registry.open_count(request.account, request.symbol)
            check_filters(instrument.rules, request, instrument.reference_price(now_ns), open_orders)
        if self.registry.is_open_client_id(request.account, request.symbol, request.client_order_id):
            raise duplicate_order()
        if request.order_type is OrderType.LIMIT_MAKER:
            offer = next(instrument.book.scan(request.side), None)
            if offer is not None and _accepts(request, offer.price):
                raise would_take()
        if not self.settlement.covers(request, instrument.rules, instrument.book):
            raise insufficient_balance()

    def place(self, request: NewOrder, now_ns: int) -> Order:
        """Accept and match an order. Raises VenueError when refused, and then nothing has changed."""
        self.check(request, now_ns)
        instrument = self.instruments[request.symbol]
        order = self._accept(request, now_ns)
        fillable = order.time_in_force is not TimeInForce.FOK or self._can_fill(instrument, order)
        if fillable:
            self._match(instrument, order, now_ns)
        if order.is_open:
            self._rest_or_expire(instrument, order, now_ns)
        return order

    def cancel(self, order: Order, cancel_id: str, now_ns: int) -> Order:
        """Take an open order off. `cancel_id` is the cancel's own client id, as the report's `c`."""
        if not order.is_open:
            raise unknown_order()
        self._close(order, Status.CANCELED, now_ns)
        self._report(order, ExecutionKind.CANCELED, now_ns, cancel_id=cancel_id)
        return order

    def fill_resting(self, order: Order, price: int, quantity: int, now_ns: int) -> None:
        """A recorded trade reached our resting order: fill it against the background (replay only)."""
        instrument = self.instruments[order.symbol]
        self._trade(instrument, maker=order, taker=None, side=order.side, price=price, quantity=quantity, now_ns=now_ns)

    def drain(self) -> tuple[list[Execution], list[PublicTrade], dict[AccountId, dict[str, None]]]:
        """Hand over what happened since the last drain: executions, public trades, touched balances."""
        out = self.executions, self.trades, self.settlement.touched
        self.executions, self.trades, self.settlement.touched = [], [], {}
        return out

    # ---- accepting

    def _accept(self, request: NewOrder, now_ns: int) -> Order:
        self._last_order_id += 1
        order = Order(
            order_id=self._last_order_id,
            account=request.account,
            symbol=request.symbol,
            client_order_id=request.client_order_id,
            side=request.side,
            order_type=request.order_type,
            time_in_force=request.time_in_force,
            price=request.price,
            quantity=request.quantity,
            prevention=request.prevention,
            created_ns=now_ns,
            updated_ns=now_ns,
        )
        self.settlement.relock(order, self.instruments[order.symbol].rules)
        self.registry.add(order)
        self._report(order, ExecutionKind.NEW, now_ns)
        return order

    def _can_fill(self, instrument: Instrument, order: Order) -> bool:
        """Whether a FOK order finds its whole quantity, own orders counted as its prevention mode would treat them."""
        wanted = order.leaves
        for offer in instrument.book.scan(order.side):
            if not _accepts(order, offer.price):
                return False
            if _is_prevented(order, offer):
                if order.prevention is SelfTradePrevention.EXPIRE_MAKER:
                    continue
                return False
            wanted -= offer.quantity
            if wanted <= 0:
                return True
        return False

    def _rest_or_expire(self, instrument: Instrument, order: Order, now_ns: int) -> None:
        rests = order.order_type is not OrderType.MARKET and order.time_in_force is TimeInForce.GTC
        if rests:
            instrument.book.rest(order)
            return
        self._close(order, Status.EXPIRED, now_ns, resting=False)
        self._report(order, ExecutionKind.EXPIRED, now_ns)

    # ---- matching

    def _match(self, instrument: Instrument, taker: Order, now_ns: int) -> None:
        for offer in instrument.book.offers(taker.side):
            if not _accepts(taker, offer.price):
                return
            if _is_prevented(taker, offer):
                self._prevent(taker, offer, now_ns)
            else:
                quantity = min(taker.leaves, offer.quantity)
                self._trade(instrument, offer.maker, taker, taker.side, offer.price, quantity, now_ns)
            if not taker.is_open:
                return

    def _prevent(self, taker: Order, offer: Offer, now_ns: int) -> None:
        """Stop a match of an account with itself. The taker's mode decides (stp_faq.md)."""
        maker = offer.maker
        assert maker is not None
        self._last_match_id += 1
        both = taker.prevention is SelfTradePrevention.EXPIRE_BOTH
        if both or taker.prevention is SelfTradePrevention.EXPIRE_MAKER:
            self._expire_in_match(maker, taker, maker, now_ns, resting=True)
        if both or taker.prevention is SelfTradePrevention.EXPIRE_TAKER:
            self._expire_in_match(taker, maker, maker, now_ns, resting=False)

    def _expire_in_match(self, order: Order, counter: Order, maker: Order, now_ns: int, *, resting: bool) -> None:
        prevented = order.leaves
        match = PreventedMatch(self._last_match_id, maker.order_id, counter.order_id, maker.price, prevented)
        self._close(order, Status.EXPIRED_IN_MATCH, now_ns, resting=resting)
        order.prevented = prevented
        order.prevented_match_id = match.match_id
        self._report(order, ExecutionKind.TRADE_PREVENTION, now_ns, prevented=match)

    def _trade(
        self,
        instrument: Instrument,
        maker: Order | None,
        taker: Order | None,
        side: Side,
        price: int,
        quantity: int,
        now_ns: int,
    ) -> None:
        """One fill. `side` is the taker's, except where a recorded trade fills `maker` and there is no taker order."""
        instrument.last_trade_id += 1
        trade_id = instrument.last_trade_id
        self.trade_count += 1
        taker_side_is_buy = (side is Side.BUY) == (taker is not None)
        buyer, seller = (taker, maker) if taker_side_is_buy else (maker, taker)
        for order in (maker, taker):
            if order is not None:
                self._apply_fill(order, instrument.rules, price, quantity, now_ns)
        fees = self.settlement.settle(instrument.rules, buyer, seller, maker, price, quantity)
        if maker is not None and maker is not taker:
            instrument.book.reduce(maker, quantity)
        if instrument.book.shows_own_orders:
            instrument.average.add(price, quantity, now_ns)
            taker_id = 0 if taker is None else taker.order_id
            symbol, buyer_is_maker = instrument.rules.symbol, buyer is maker
            self.trades.append(PublicTrade(symbol, trade_id, price, quantity, buyer_is_maker, now_ns, taker_id))
        for order in (maker, taker):
            if order is not None:
                fee, fee_asset = fees[order.side]
                self._report_fill(order, price, quantity, fee, fee_asset, trade_id, order is maker, now_ns)

    def _apply_fill(self, order: Order, rules: SymbolRules, price: int, quantity: int, now_ns: int) -> None:
        assert 0 < quantity <= order.leaves, (order, quantity)
        order.executed += quantity
        order.quote_executed += quote_amount(price, quantity)
        order.updated_ns = now_ns
        order.status = Status.FILLED if order.executed == order.quantity else Status.PARTIALLY_FILLED
        self.settlement.relock(order, rules)
        if not order.is_open:
            self.registry.close(order)

    # ---- closing, reporting

    def _close(self, order: Order, status: Status, now_ns: int, *, resting: bool = True) -> None:
        instrument = self.instruments[order.symbol]
        if resting:
            instrument.book.remove(order)
        order.status = status
        order.updated_ns = now_ns
        self.settlement.relock(order, instrument.rules)
        self.registry.close(order)

    def _report(
        self,
        order: Order,
        kind: ExecutionKind,
        now_ns: int,
        *,
        cancel_id: str = "",
        prevented: PreventedMatch | None = None,
    ) -> None:
        if order.account == BACKGROUND:
            return
        self._last_execution_id += 1
        self.executions.append(
            Execution(
                execution_id=self._last_execution_id,
                order=order,
                kind=kind,
                status=order.status,
                executed=order.executed,
                quote_executed=order.quote_executed,
                time_ns=now_ns,
                client_order_id=cancel_id or order.client_order_id,
                original_client_order_id=order.client_order_id if cancel_id else "",
                is_on_book=kind is ExecutionKind.NEW and order.order_type is not OrderType.MARKET,
                prevented=prevented,
            )
        )

    def _report_fill(
        self,
        order: Order,
        price: int,
        quantity: int,
        fee: int,
        fee_asset: str,
        trade_id: int,
        is_maker: bool,
        now_ns: int,
    ) -> None:
        if order.account == BACKGROUND:
            return
        self._last_execution_id += 1
        self.executions.append(
            Execution(
                execution_id=self._last_execution_id,
                order=order,
                kind=ExecutionKind.TRADE,
                status=order.status,
                executed=order.executed,
                quote_executed=order.quote_executed,
                time_ns=now_ns,
                client_order_id=order.client_order_id,
                last_price=price,
                last_quantity=quantity,
                fee=fee,
                fee_asset=fee_asset,
                trade_id=trade_id,
                is_maker=is_maker,
                is_on_book=is_maker and order.is_open,
            )
        )
        is_buyer = order.side is Side.BUY
        self.registry.add_trade(
            order.account,
            AccountTrade(
                trade_id, order.symbol, order.order_id, price, quantity, fee, fee_asset, is_buyer, is_maker, now_ns
            ),
        )


def _accepts(order: Order | NewOrder, price: int) -> bool:
    if order.order_type is OrderType.MARKET:
        return True
    return order.price >= price if order.side is Side.BUY else order.price <= price


def _is_prevented(taker: Order, offer: Offer) -> bool:
    own = offer.maker is not None and offer.maker.account == taker.account
    return own and taker.prevention is not SelfTradePrevention.NONE

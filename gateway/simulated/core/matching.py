"""The matching engine: takes orders, matches them, moves the money, reports every fact. Pure: no I/O, no clock.

Time comes in as `now_ns`. What happened waits in `executions` and `trades`, and as `settlement.touched`, until the host
drains them. A command that is refused raises VenueError and has changed nothing.
"""

import msgspec

from .amending import check_amendment
from .errors import (
    VenueError,
    duplicate_order,
    filter_failure,
    insufficient_balance,
    invalid_quantity,
    invalid_symbol,
    reject_reason,
    unknown_order,
    would_take,
    would_trigger,
)
from .filters import CheckFilters, ExchangeRules, SymbolRules, check_combination, check_filters
from .instrument import Instrument
from .matcher import EXPIRE_MAKER, NO_GROUP, Matcher
from .orders import (
    BACKGROUND,
    AccountId,
    Amendment,
    Execution,
    ExecutionKind,
    ExpiryReason,
    Liquidity,
    NewOrder,
    Order,
    OrderType,
    PreventedMatch,
    PublicTrade,
    Side,
    Status,
)
from .settlement import FeeRates, Money
from .sizing import size_by_quote
from .stops import rises_to

BUY = Side.BUY


class MatchingEngine(Matcher):
    """`money` is the face's money model, `filters` its checks of a client's new order."""

    def __init__(
        self,
        money: Money,
        filters: CheckFilters = check_filters,
        exchange_rules: ExchangeRules = ExchangeRules(),  # noqa: B008  # frozen
    ) -> None:
        super().__init__(money)
        self.exchange_rules = exchange_rules
        self._check_filters = filters

    def list_instrument(self, rules: SymbolRules, book: Liquidity) -> Instrument:
        assert rules.symbol not in self.instruments, rules.symbol
        instrument = self.instruments[rules.symbol] = Instrument(rules, book)
        return instrument

    def open_account(self, account: AccountId, fees: FeeRates, trade_group: int = NO_GROUP) -> None:
        """Accounts of one `trade_group` are kept from trading with each other as one is with itself (stp_faq.md)."""
        self.settlement.open_account(account, fees)
        if trade_group != NO_GROUP:
            self._trade_groups[account] = trade_group

    def trade_group(self, account: AccountId) -> int:
        """Return the account's trade group; -1 when it is in none."""
        return self._trade_groups.get(account, NO_GROUP)

    def instrument(self, symbol: str) -> Instrument:
        found = self.instruments.get(symbol)
        if found is None:
            raise invalid_symbol()
        return found

    # ---- new orders

    def check(self, request: NewOrder, now_ns: int) -> None:
        """Raise what `place` would raise; change nothing."""
        self._admit(request, now_ns)

    def check_rules(self, request: NewOrder, now_ns: int) -> None:
        """Raise what the filters have against the request, whatever money the account has."""
        instrument = self.instrument(request.symbol)
        rules = instrument.rules
        check_combination(request)
        section = self.registry.section(request.account, request.symbol)
        reference_price = instrument.reference_price(now_ns)
        self._check_filters(rules, request, reference_price, len(section.open), section.stops)
        if rules.position_max and request.side is BUY:
            self._check_position(rules, request)
        exchange = self.exchange_rules
        if exchange.orders_max or exchange.algo_orders_max:
            self._check_exchange(request)

    def _check_position(self, rules: SymbolRules, request: NewOrder) -> None:
        ledger, account, base = self.ledger, request.account, rules.base
        bought = sum(o.quantity for o in self.registry.section(account, rules.symbol).open.values() if o.side is BUY)
        position = ledger.free[account][base] + ledger.locked[account][base] + bought
        if position + request.quantity > rules.position_max:
            raise filter_failure("MAX_POSITION")

    def _check_exchange(self, request: NewOrder) -> None:
        exchange, sections = self.exchange_rules, self.registry.sections(request.account)
        if sum(len(section.open) for section in sections) >= exchange.orders_max > 0:
            raise filter_failure("EXCHANGE_MAX_NUM_ORDERS")
        if request.stop_price and sum(section.stops for section in sections) >= exchange.algo_orders_max > 0:
            raise filter_failure("EXCHANGE_MAX_NUM_ALGO_ORDERS")

    def _admit(self, request: NewOrder, now_ns: int) -> tuple[Instrument, NewOrder]:
        """Return the instrument and the request with its quantity. The crowd keeps to the rules by itself."""
        instrument = self.instrument(request.symbol)
        if request.account == BACKGROUND:
            check_combination(request)
        else:
            self.check_rules(request, now_ns)
            if self.registry.is_open_client_id(request.account, request.symbol, request.client_order_id):
                raise duplicate_order()
        if request.quote_quantity:
            quantity = size_by_quote(instrument.rules, request.quote_quantity, self._takeable(instrument, request))
            request = msgspec.structs.replace(request, quantity=quantity)
            if instrument.rules.position_max and request.side is BUY and request.account != BACKGROUND:
                self._check_position(instrument.rules, request)
        if request.stop_price:
            self._check_trigger(instrument, request)
        elif request.order_type is OrderType.LIMIT_MAKER:
            offered = instrument.book.best_offer(request.side)
            if offered and (offered <= request.price if request.side is BUY else offered >= request.price):
                raise would_take()
        if not self.settlement.covers(request, instrument.rules, self._takeable(instrument, request)):
            raise insufficient_balance()
        return instrument, request

    def _check_trigger(self, instrument: Instrument, request: NewOrder) -> None:
        price = instrument.trigger_price()
        if price is None:
            return
        rises = rises_to(request.order_type, request.side)
        if price >= request.stop_price if rises else price <= request.stop_price:
            raise would_trigger()

    def place(self, request: NewOrder, now_ns: int) -> Order:
        """Accept an order; it matches and rests, or waits for its stop price."""
        instrument, request = self._admit(request, now_ns)
        self.ledger.now_ns = now_ns
        order = self._accept(instrument, request, now_ns)
        if not order.working_ns:
            instrument.stops.add(order)
            return order
        self._work(instrument, order, now_ns)
        if self._triggered:
            self._run_triggered(now_ns)
        return order

    def _accept(self, instrument: Instrument, request: NewOrder, now_ns: int) -> Order:
        order = self._order(request, now_ns)
        if order.account != BACKGROUND:
            self.settlement.relock(order, instrument.rules)
            self.registry.add(order)
            self._report(order, ExecutionKind.NEW, now_ns)
        return order

    def _order(self, request: NewOrder, now_ns: int) -> Order:
        self._last_order_id = order_id = self._last_order_id + 1
        return Order(
            order_id,  # the first by position: reports.py says why
            request.account,
            request.symbol,
            request.client_order_id,
            request.side,
            request.order_type,
            request.time_in_force,
            request.price,
            request.quantity,
            request.prevention,
            now_ns,
            now_ns,
            stop_price=request.stop_price,
            quote_quantity=request.quote_quantity,
            reduce_only=request.reduce_only,
            working_ns=0 if request.stop_price else now_ns,
            position_side=request.position_side,
            strategy=request.strategy,
        )

    def reject(self, request: NewOrder, error: VenueError, now_ns: int) -> None:
        """Report a new order as REJECTED: the venue does so only where a cancel-replace has canceled (replace.py)."""
        order = self._order(request, now_ns)
        order.status = Status.REJECTED
        self._report(order, ExecutionKind.REJECTED, now_ns, reject_reason=reject_reason(error))

    # ---- open orders

    def cancel(self, order: Order, cancel_id: str, now_ns: int) -> Order:
        """Take an open order off. `cancel_id` is the cancel's own client id, as the report's `c`."""
        if not order.is_open:
            raise unknown_order()
        self.ledger.now_ns = now_ns
        self._close(self.instruments[order.symbol], order, Status.CANCELED, now_ns, resting=True)
        self.report_canceled(order, cancel_id, now_ns)
        return order

    def report_canceled(self, order: Order, cancel_id: str, now_ns: int) -> None:
        """Say that it was canceled, as it stands in `order`."""
        original_id = order.client_order_id
        self._report(
            order,
            ExecutionKind.CANCELED,
            now_ns,
            client_order_id=cancel_id,
            original_client_order_id=original_id if cancel_id else "",
        )

    def amend(self, order: Order, quantity: int, client_order_id: str | None, now_ns: int) -> Order:
        """Lower an open order's quantity; it keeps its place. Raises OrderRefused (-2038), BadRequest for a filter.

        `client_order_id`: the order's from now on, its present one again if the client wants that; None keeps it.
        """
        instrument = self.instruments[order.symbol]
        check_amendment(instrument.rules, self.registry, order, quantity, client_order_id)
        self.ledger.now_ns = now_ns
        original_id, original = order.client_order_id, order.quantity
        order.quantity = quantity
        order.updated_ns = now_ns
        if order.working_ns:
            instrument.book.reduce(order, original - quantity)
        self.settlement.relock(order, instrument.rules)
        amendment = Amendment(
            symbol=order.symbol,
            order_id=order.order_id,
            execution_id=self._last_execution_id + 1,
            original_client_order_id=original_id,
            client_order_id=client_order_id or original_id,
            original_quantity=original,
            quantity=quantity,
            time_ns=now_ns,
        )
        self.registry.amend(order, amendment)
        self._report(order, ExecutionKind.REPLACED, now_ns, original_client_order_id=original_id)
        return order

    def modify(self, order: Order, price: int, quantity: int, now_ns: int) -> Order:
        """Give a resting order another price and quantity; it goes to the end of its queue, and may take (futures only).

        Raises VenueError when it is not resting, when more has been executed, or for want of money; then it is as it was.
        """
        if not order.is_open or not order.working_ns:
            raise unknown_order()
        gone = order.quantity - order.leaves
        if quantity <= gone or price <= 0:
            raise invalid_quantity()
        instrument = self.instruments[order.symbol]
        self.ledger.now_ns = now_ns
        self._check_modified(instrument, order, price, quantity - gone)
        instrument.book.remove(order)
        order.price, order.quantity, order.updated_ns = price, quantity, now_ns
        self.settlement.relock(order, instrument.rules)
        self._report(order, ExecutionKind.REPLACED, now_ns, original_client_order_id=order.client_order_id)
        self._work(instrument, order, now_ns)
        self._run_triggered(now_ns)
        return order

    def _check_modified(self, instrument: Instrument, order: Order, price: int, leaves: int) -> None:
        """Ask for the money as if the order held nothing yet."""
        quantity = order.quantity
        request = NewOrder(
            account=order.account,
            symbol=order.symbol,
            client_order_id=order.client_order_id,
            side=order.side,
            order_type=order.order_type,
            quantity=leaves,
            price=price,
            reduce_only=order.reduce_only,
            position_side=order.position_side,
        )
        order.quantity -= order.leaves
        self.settlement.relock(order, instrument.rules)
        try:
            if not self.settlement.covers(request, instrument.rules, self._takeable(instrument, request)):
                raise insufficient_balance()
        finally:
            order.quantity = quantity
            self.settlement.relock(order, instrument.rules)

    def expire(self, order: Order, status: Status, now_ns: int) -> Order:
        """End an open order without anybody's request: `status` is EXPIRED or EXPIRED_IN_MATCH. Raises OrderRefused (-2011).

        EXPIRED_IN_MATCH is told as a match prevented with an order that is not the account's own.
        """
        if not order.is_open:
            raise unknown_order()
        self.ledger.now_ns = now_ns
        instrument = self.instruments[order.symbol]
        if status is Status.EXPIRED_IN_MATCH:
            self._expire_in_match(instrument, order, now_ns)
        else:
            self._close(instrument, order, Status.EXPIRED, now_ns, resting=True)
            self._report(order, ExecutionKind.EXPIRED, now_ns, expiry_reason=ExpiryReason.EXCHANGE_CANCELED)
        return order

    def _expire_in_match(self, instrument: Instrument, order: Order, now_ns: int) -> None:
        self._last_order_id += 1  # the other order's, which nobody sees
        match = PreventedMatch(
            match_id=self._next_match_id(),
            symbol=order.symbol,
            mode=EXPIRE_MAKER,
            trade_group=self.trade_group(order.account),
            taker_order_id=self._last_order_id,
            maker_order_id=order.order_id,
            price=order.price,
            quantity=order.leaves,
            taker_prevented=0,
            maker_prevented=order.leaves,
            time_ns=now_ns,
        )
        self.registry.add_prevented(order.account, match)
        self._take_off(instrument, order, match, order.leaves, now_ns, resting=True)

    def queue_ahead(self, order: Order) -> tuple[int, int]:
        """Return how many orders, and what quantity, stand before a resting order; zeros for one that is not in the book."""
        if not order.is_open or not order.working_ns:
            return 0, 0
        return self.instruments[order.symbol].book.queue_ahead(order)

    # ---- recordings

    def fill_resting(self, order: Order, price: int, quantity: int, now_ns: int) -> None:
        """A recorded trade reached our resting order: fill it against the background. A stop that waits is not touched."""
        if not order.is_open or not order.working_ns:
            return
        self.ledger.now_ns = now_ns
        buyer, seller = (order, None) if order.side is BUY else (None, order)
        self._trade(self.instruments[order.symbol], buyer, seller, order, price, quantity, now_ns)
        self._run_triggered(now_ns)

    def see_trade(self, symbol: str, price: int, quantity: int, now_ns: int) -> None:
        """A recorded trade happened among others: it moves the average price, and triggers stops."""
        self.ledger.now_ns = now_ns
        self._triggered.extend(self.instruments[symbol].traded(price, quantity, now_ns))
        self._run_triggered(now_ns)

    def drain(self) -> tuple[list[Execution], list[PublicTrade], dict[AccountId, dict[str, None]]]:
        """Hand over what happened since the last drain: executions, public trades, touched balances."""
        out = self.executions, self.trades, self.settlement.touched
        self.executions, self.trades, self.settlement.touched = [], [], {}
        return out

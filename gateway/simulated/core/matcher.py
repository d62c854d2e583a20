"""Orders meet: who trades with whom, what self-trade prevention stops, how an order ends. Pure: no I/O, no clock.

Below the commands (`matching`): here an order has been accepted, and every step moves its money and reports its fact.
"""

from collections import defaultdict, deque
from collections.abc import Iterator

from .decimals import quote_amount
from .instrument import Instrument
from .orders import (
    BACKGROUND,
    AccountId,
    Execution,
    ExecutionKind,
    ExpiryReason,
    NewOrder,
    Offer,
    Order,
    PositionSide,
    PreventedMatch,
    PublicTrade,
    SelfTradePrevention,
    Side,
    Status,
    TimeInForce,
)
from .registry import OrderRegistry
from .reports import account_trade, fact, fill
from .settlement import Money

NO_GROUP = -1  # stp_faq.md: the tradeGroupId of an account that is in none
BUY = Side.BUY
FILLED, PARTIALLY_FILLED = Status.FILLED, Status.PARTIALLY_FILLED
GTC, GTD, GTX, FOK = TimeInForce.GTC, TimeInForce.GTD, TimeInForce.GTX, TimeInForce.FOK
UNPREVENTED, EXPIRE_MAKER = SelfTradePrevention.NONE, SelfTradePrevention.EXPIRE_MAKER

EXPIRY_REASONS = {
    TimeInForce.IOC: ExpiryReason.UNFILLED_IOC_QUANTITY_EXPIRED,
    TimeInForce.FOK: ExpiryReason.UNFILLED_FOK_ORDER_EXPIRED,
}
"""Of an order that does not rest; any other found too little in the book."""


class Matcher:
    """What happened waits in `executions`, `trades` and the money's `touched` until it is drained."""

    def __init__(self, money: Money) -> None:
        self.settlement = money
        self.ledger = money.ledger
        self.instruments: dict[str, Instrument] = {}
        self.registry = OrderRegistry()
        self.executions: list[Execution] = []
        self.trades: list[PublicTrade] = []
        self.trade_count = 0
        self._trade_groups: dict[AccountId, int] = {}
        self._triggered: deque[Order] = deque()
        self._last_order_id = 0
        self._last_execution_id = 0
        self._last_match_id = -1  # the venue's first prevented match is 0 (stp_faq.md)

    # ---- an order works

    def _work(self, instrument: Instrument, order: Order, now_ns: int) -> None:
        """Match an order that has just begun to work; then it rests, or what is left of it expires."""
        book, limit, kept = instrument.book, order.price, order.time_in_force
        offered = book.best_offer(order.side)
        meets = offered > 0 and (not limit or (offered <= limit if order.side is BUY else offered >= limit))
        if meets and kept is not GTX and (kept is not FOK or self._can_fill(instrument, order)):
            self._match(instrument, order, now_ns)
            if not order.is_open:
                return
        if limit and (kept is GTC or kept is GTD or (kept is GTX and not meets)):
            book.rest(order)
            return
        reason = EXPIRY_REASONS.get(kept, ExpiryReason.INSUFFICIENT_LIQUIDITY)
        self._close(instrument, order, Status.EXPIRED, now_ns, resting=False)
        self._report(order, ExecutionKind.EXPIRED, now_ns, expiry_reason=reason)

    def _can_fill(self, instrument: Instrument, order: Order) -> bool:
        """Whether a FOK order finds its whole quantity, own orders counted as its prevention mode would treat them."""
        wanted, limit, is_buy = order.leaves, order.price, order.side is BUY
        counted: defaultdict[tuple[AccountId, PositionSide], int] = defaultdict(int)
        for offer in self._takeable(instrument, order):
            if limit and (offer.price > limit if is_buy else offer.price < limit):
                return False
            quantity, maker = offer.quantity, offer.maker
            if maker is not None:
                if self._is_prevented(order, maker):
                    return False
                position = maker.account, maker.position_side
                if maker.reduce_only:  # of what its position has left when those before it have traded
                    quantity = max(0, min(quantity, self.settlement.reducible(maker) - counted[position]))
                counted[position] += quantity
            wanted -= quantity
            if wanted <= 0:
                return True
        return False

    def _match(self, instrument: Instrument, taker: Order, now_ns: int) -> None:
        limit, is_buy = taker.price, taker.side is BUY
        for offer in instrument.book.offers(taker.side):
            price, maker = offer.price, offer.maker
            if limit and (price > limit if is_buy else price < limit):
                return
            if maker is not None and self._is_prevented(taker, maker):
                self._prevent(instrument, taker, maker, now_ns)
            elif quantity := self._tradable(instrument, taker, maker, offer.quantity, now_ns):
                buyer, seller = (taker, maker) if is_buy else (maker, taker)
                self._trade(instrument, buyer, seller, maker, price, quantity, now_ns)
            if not taker.is_open:
                return

    def _tradable(self, instrument: Instrument, taker: Order, maker: Order | None, offered: int, now_ns: int) -> int:
        """Return what both orders can trade. A reduce-only order with nothing left to reduce expires, and that is 0."""
        quantity = min(taker.leaves, offered)
        for order in (maker, taker):
            if order is not None and order.reduce_only:
                quantity = min(quantity, self.settlement.reducible(order))
                if quantity <= 0:
                    self._close(instrument, order, Status.EXPIRED, now_ns, resting=order is maker)
                    self._report(order, ExecutionKind.EXPIRED, now_ns, expiry_reason=ExpiryReason.EXCHANGE_CANCELED)
                    return 0
        return quantity

    # ---- fills

    def _trade(
        self,
        instrument: Instrument,
        buyer: Order | None,
        seller: Order | None,
        maker: Order | None,
        price: int,
        quantity: int,
        now_ns: int,
    ) -> None:
        """One fill. An order that is None is the crowd's, of whom a recording shows no orders."""
        rules, book, ledger = instrument.rules, instrument.book, self.ledger
        instrument.last_trade_id = trade_id = instrument.last_trade_id + 1
        self.trade_count += 1
        taker = seller if buyer is maker else buyer
        if maker is not None:
            self._apply_fill(instrument, maker, price, quantity, now_ns)
        if taker is not None:
            self._apply_fill(instrument, taker, price, quantity, now_ns)
        ledger.trade_id = trade_id
        fees = self.settlement.settle(rules, buyer, seller, maker, price, quantity)
        if maker is not None:
            book.reduce(maker, quantity)
        if book.shows_own_orders:
            self._triggered.extend(instrument.traded(price, quantity, now_ns))
            taker_id = 0 if taker is None else taker.order_id
            self.trades.append(PublicTrade(rules.symbol, trade_id, price, quantity, buyer is maker, now_ns, taker_id))
        for order in (maker, taker):
            if order is not None and order.account != BACKGROUND:
                self._last_execution_id += 1
                fee = fees[order.side]
                report = fill(
                    self._last_execution_id, order, price, quantity, fee, trade_id, now_ns, is_maker=order is maker
                )
                self.executions.append(report)
                self.registry.add_trade(order.account, account_trade(report))

    def _apply_fill(self, instrument: Instrument, order: Order, price: int, quantity: int, now_ns: int) -> None:
        leaves = order.quantity - order.executed - order.prevented
        assert 0 < quantity <= leaves, (order, quantity)
        order.executed += quantity
        order.quote_executed += quote_amount(price, quantity)
        order.updated_ns = now_ns
        order.status = FILLED if quantity == leaves else PARTIALLY_FILLED
        if order.account == BACKGROUND:
            return
        self.settlement.relock(order, instrument.rules)
        if quantity == leaves:
            self.registry.close(order)

    # ---- self-trade prevention

    def _takeable(self, instrument: Instrument, taker: NewOrder | Order) -> Iterator[Offer]:
        """Return what a taker meets, best first, but for own orders that would expire and not be taken."""
        offers = instrument.book.scan(taker.side)
        if taker.prevention is not EXPIRE_MAKER:
            return offers
        return (o for o in offers if o.maker is None or not self._is_prevented(taker, o.maker))

    def _is_prevented(self, taker: NewOrder | Order, maker: Order) -> bool:
        """Whether the two may not trade: orders of one account, or of one trade group. The taker's mode decides."""
        if taker.prevention is UNPREVENTED:
            return False
        groups = self._trade_groups
        group = groups.get(taker.account, NO_GROUP)
        return maker.account == taker.account or (group != NO_GROUP and groups.get(maker.account, NO_GROUP) == group)

    def _prevent(self, instrument: Instrument, taker: Order, maker: Order, now_ns: int) -> None:
        """Stop a match: the taker's mode says which of the two loses all its leaves, or both as much as would have traded."""
        mode = taker.prevention
        both = mode is SelfTradePrevention.EXPIRE_BOTH
        quantity = min(taker.leaves, maker.leaves)
        taker_loses = taker.leaves if both or mode is SelfTradePrevention.EXPIRE_TAKER else 0
        maker_loses = maker.leaves if both or mode is EXPIRE_MAKER else 0
        if mode is SelfTradePrevention.DECREMENT:
            taker_loses = maker_loses = quantity
        match = PreventedMatch(
            match_id=self._next_match_id(),
            symbol=maker.symbol,
            mode=mode,
            trade_group=self._trade_groups.get(taker.account, NO_GROUP),
            taker_order_id=taker.order_id,
            maker_order_id=maker.order_id,
            price=maker.price,
            quantity=quantity,
            taker_prevented=taker_loses,
            maker_prevented=maker_loses,
            time_ns=now_ns,
        )
        for account in dict.fromkeys((taker.account, maker.account)):
            self.registry.add_prevented(account, match)
        if maker_loses:
            self._take_off(instrument, maker, match, maker_loses, now_ns, resting=True)
        if taker_loses:
            self._take_off(instrument, taker, match, taker_loses, now_ns, resting=False)

    def _next_match_id(self) -> int:
        self._last_match_id += 1
        return self._last_match_id

    def _take_off(
        self, instrument: Instrument, order: Order, match: PreventedMatch, quantity: int, now_ns: int, *, resting: bool
    ) -> None:
        """Take `quantity` off the order, which expires if that is all it has."""
        order.prevented_match_id = match.match_id
        if quantity == order.leaves:
            self._close(instrument, order, Status.EXPIRED_IN_MATCH, now_ns, resting=resting)
            order.prevented += quantity
        else:
            order.prevented += quantity
            order.updated_ns = now_ns
            if resting:
                instrument.book.reduce(order, quantity)
            self.settlement.relock(order, instrument.rules)
        self._report(order, ExecutionKind.TRADE_PREVENTION, now_ns, prevented=match)

    # ---- stops

    def _run_triggered(self, now_ns: int) -> None:
        """Let triggered stops work, in the order in which trades triggered them; their own trades may trigger more.

        It ends: a stop triggers once, and nothing new is accepted meanwhile. No report tells of the triggering itself.
        """
        while self._triggered:
            order = self._triggered.popleft()
            instrument = self.instruments[order.symbol]
            order.working_ns = order.updated_ns = now_ns
            self.settlement.relock(order, instrument.rules)
            if self.settlement.affords(order, instrument.rules, self._takeable(instrument, order)):
                self._work(instrument, order, now_ns)
            else:
                self._close(instrument, order, Status.EXPIRED, now_ns, resting=False)
                self._report(order, ExecutionKind.EXPIRED, now_ns, expiry_reason=ExpiryReason.REJECTED)

    # ---- closing, reporting

    def _close(self, instrument: Instrument, order: Order, status: Status, now_ns: int, *, resting: bool) -> None:
        """End an order; `resting`: it is in the book, or among the stops that wait."""
        if resting:
            if order.working_ns:
                instrument.book.remove(order)
            else:
                instrument.stops.remove(order)
        order.status = status
        order.updated_ns = now_ns
        if order.account != BACKGROUND:
            self.settlement.relock(order, instrument.rules)
            self.registry.close(order)

    def _report(
        self,
        order: Order,
        kind: ExecutionKind,
        now_ns: int,
        client_order_id: str = "",
        original_client_order_id: str = "",
        prevented: PreventedMatch | None = None,
        reject_reason: str = "NONE",
        expiry_reason: ExpiryReason = ExpiryReason.NONE,
    ) -> None:
        """Tell of anything but a fill. `client_order_id`: the request's own, where it is not the order's."""
        if order.account == BACKGROUND:
            return
        self._last_execution_id = execution_id = self._last_execution_id + 1
        self.executions.append(
            fact(
                execution_id,
                order,
                kind,
                now_ns,
                client_order_id or order.client_order_id,
                original_client_order_id,
                prevented,
                reject_reason,
                expiry_reason,
            )
        )

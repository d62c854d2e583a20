"""The accounts' events: to their listen keys' streams, and into what they may ask for later. No sockets here.

A fill is told as TRADE_LITE, then ORDER_TRADE_UPDATE, then, with all else its command did, one ACCOUNT_UPDATE.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from ..core.orders import AccountId, AccountTrade, Execution, ExecutionKind, PositionSide, Side
from ..faults.face import UserFaults
from ..payload import Instant, Payload, encode
from ..streams import StreamHub
from . import income
from .account_payloads import PositionView, account_update, position_views
from .income import IncomeBook
from .listen_keys import ListenKeys
from .margin import ASSET, Margin
from .payloads import Fill, order_trade_update, trade_lite
from .terms import TermsBook
from .text import Figures

FILLS_MAX = 100_000  # of one account; chosen, as the core's: the oldest are forgotten first


class _NoFaults:
    """Nothing goes wrong."""

    armed = False

    def pass_on(self, account: AccountId, event: Payload) -> None:
        """Never asked."""


class UserStreams:
    """`on_execution` hears of every execution of an account, whether somebody listens or not. `writing`: by symbol."""

    def __init__(self, margin: Margin, hub: StreamHub, keys: ListenKeys, writing: Mapping[str, Figures]) -> None:
        self.on_execution: Sequence[Callable[[Execution, int], None]] = ()
        self.faults: UserFaults = _NoFaults()
        self.terms = TermsBook()
        self.income = IncomeBook()
        self.keys = keys
        self._margin = margin
        self._hub = hub
        self._writing = writing
        self._fills: dict[AccountId, deque[Fill]] = {}
        self._now_ns = 0

    def fills(self, account: AccountId, symbol: str) -> list[Fill]:
        """Return the account's fills on `symbol`, oldest first."""
        return [fill for fill in self._fills.get(account, ()) if fill.trade.symbol == symbol]

    # ---- what the core did

    def publish_executions(self, executions: list[Execution], now_ns: int) -> None:
        for execution in executions:
            for hear in self.on_execution:
                hear(execution, now_ns)
            realized = self._keep(execution) if execution.kind is ExecutionKind.TRADE else 0
            self._tell_execution(execution, realized, now_ns)

    def _keep(self, execution: Execution) -> int:
        """Note a fill and what it brought. Return the PnL it realized."""
        order = execution.order
        realized = self._margin.realized.pop((order.order_id, execution.executed), 0)
        trade = AccountTrade(
            trade_id=execution.trade_id,
            symbol=order.symbol,
            order_id=order.order_id,
            price=execution.last_price,
            quantity=execution.last_quantity,
            fee=execution.fee,
            fee_asset=execution.fee_asset or ASSET,
            is_buyer=order.side is Side.BUY,
            is_maker=execution.is_maker,
            time_ns=execution.time_ns,
        )
        fill = Fill(trade, realized, order.position_side)
        self._fills.setdefault(order.account, deque(maxlen=FILLS_MAX)).append(fill)
        number = execution.trade_id
        for kind, amount in ((income.REALIZED_PNL, realized), (income.COMMISSION, -execution.fee)):
            self.income.add(order.account, kind, order.symbol, amount, execution.time_ns, number)
        return realized

    def _tell_execution(self, execution: Execution, realized: int, now_ns: int) -> None:
        order = execution.order
        figures = self._writing[order.symbol]
        if execution.kind is ExecutionKind.TRADE:
            self.tell(order.account, trade_lite(execution, figures, now_ns), now_ns)
        held, key = self._margin.accounts[order.account], (order.symbol, order.position_side)
        notionals = held.bids.get(key, 0), held.offers.get(key, 0)
        terms = self.terms.of(order.order_id)
        event = order_trade_update(execution, terms, figures, realized, notionals, now_ns)
        self.tell(order.account, event, now_ns)

    def publish_balances(self, touched: dict[AccountId, dict[str, None]], now_ns: int) -> None:
        """`touched`: the symbols whose position changed."""
        for account, symbols in touched.items():
            for symbol in symbols:
                for side in PositionSide:
                    if (symbol, side) in self._margin.accounts[account].positions:
                        self._margin.position(account, symbol, side).updated_ns = now_ns
            self.tell_account(account, "ORDER", 0, symbols, now_ns)

    def publish_deposit(self, account: AccountId, asset: str, amount: int, now_ns: int) -> None:
        self.income.add(account, income.TRANSFER, "", amount, now_ns)
        self.tell_account(account, "DEPOSIT", amount, (), now_ns)

    # ---- telling

    def tell_account(
        self, account: AccountId, reason: str, change: int, symbols: Sequence[str] | Mapping[str, None], now_ns: int
    ) -> None:
        """Tell wallet and positions of `symbols`. `change`: of the wallet, by anything but trades and fees."""
        wallet = self._margin.wallet(account)
        self.tell(account, account_update(reason, wallet, change, self.views(account, symbols), now_ns, now_ns), now_ns)

    def views(self, account: AccountId, symbols: Sequence[str] | Mapping[str, None]) -> list[PositionView]:
        return list(position_views(self._margin, account, symbols, self._writing))

    def tell(self, account: AccountId, event: Payload, now_ns: int) -> None:
        """To the account's stream, if somebody hears it."""
        self._now_ns = now_ns
        if self._stream(account) is None:
            return
        if self.faults.armed:
            self.faults.pass_on(account, event)
        else:
            self.deliver(account, event)

    def deliver(self, account: AccountId, event: Payload) -> None:
        """As `tell`, past all faults."""
        key = self._stream(account)
        if key is not None:
            self._hub.send(key, encode(event))  # the hub's own faults are those of market streams

    def _stream(self, account: AccountId) -> str | None:
        key = self.keys.of(account, self._now_ns)
        return key if key is not None and self._hub.has_listeners(key) else None

    def terminate(self, account: AccountId) -> None:
        """The account's listen key is no more, as if its hour were over."""
        key = self.keys.end(account)
        if key is not None:
            self.say_expired(key, self._now_ns)

    def say_expired(self, key: str, now_ns: int) -> None:
        self._hub.send(key, encode({"e": "listenKeyExpired", "E": Instant(now_ns), "listenKey": key}))

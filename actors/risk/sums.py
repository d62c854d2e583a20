"""What the orders of one instrument come to: remainders, executions ahead of their fills, notional, how many, the best of
each side, how many without an answer. Kept with each change, not computed; tests compare them with all the holds. Pure.
"""

import msgspec

from actors.risk.holds import Hold
from bus.messages import OrderCommand

NO_BID, NO_ASK = 0, 1 << 62


class Account(msgspec.Struct):
    """Sums over all instruments. notional: open, by quote asset."""

    open_orders: int = 0
    notional: dict[str, int] = {}


class Sums:
    """requests: approved and without an id yet, by (owner, command). holds: by client order id.

    in_flight: orders that wait for the venue's first word. own_bid, own_ask: the best that may still fill, ticks.
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self.asset = ""
        self.requests: dict[tuple[str, int], Hold] = {}
        self.holds: dict[str, Hold] = {}
        self.leaves_buy = self.leaves_sell = self.ahead_buy = self.ahead_sell = self.open_orders = 0
        self.in_flight = 0
        self.own_bid, self.own_ask = NO_BID, NO_ASK
        self.numerator, self.denominator = 0, 1

    def notional_of(self, price_ticks: int, lots: int) -> int:
        """Quote units, rounded up."""
        return -(-price_ticks * lots * self.numerator // self.denominator)

    # Reserving and releasing

    def reserve(self, command: OrderCommand, now_ns: int) -> None:
        """As `_open` and `_count` of a hold of which nothing is known yet, in one step. HOT PATH."""
        lots, price_ticks, owner, number = command.quantity_lots, command.price_ticks, command.owner, command.command
        notional = -(-price_ticks * lots * self.numerator // self.denominator)
        if command.side > 0:
            side = 1
            self.leaves_buy += lots
            if price_ticks > self.own_bid:
                self.own_bid = price_ticks
        else:
            side = -1
            self.leaves_sell += lots
            if price_ticks < self.own_ask:
                self.own_ask = price_ticks
        self.requests[owner, number] = Hold(
            owner,
            number,
            "",
            side,
            price_ticks,
            lots,
            lots,
            0,
            0,
            0,
            lots,
            0,
            notional,
            False,
            True,
            now_ns,
            command.post_only,
            command.reduce_only,
        )
        self.open_orders += 1
        self.in_flight += 1
        account, asset = self.account, self.asset
        account.open_orders += 1
        account.notional[asset] = account.notional.get(asset, 0) + notional

    def release(self, owner: str, command: int) -> bool:
        """The command did not become an order. False: nothing was reserved for it (any more)."""
        hold = self.requests.pop((owner, command), None)
        if hold is None:
            return False
        self._answer(hold)
        self._end(hold)
        return True

    # What is counted

    def _count(self, hold: Hold) -> None:
        """Bring the sums from what was counted of `hold` to what is to be counted now."""
        seen = hold.cumulative - hold.first
        ahead = seen - hold.filled if seen > hold.filled else 0
        leaves = 0
        if not hold.done:
            # Fills ahead of their OrderUpdate shrink the remainder too, unless they may be of before `first`.
            early = hold.filled - seen if hold.filled > seen and not hold.first else 0
            leaves = hold.told - early if hold.told > early else 0
        if hold.side > 0:
            self.leaves_buy += leaves - hold.leaves
            self.ahead_buy += ahead - hold.ahead
        else:
            self.leaves_sell += leaves - hold.leaves
            self.ahead_sell += ahead - hold.ahead
        hold.ahead = ahead
        if leaves != hold.leaves:
            hold.leaves = leaves
            notional = self.notional_of(hold.price_ticks, leaves)
            amounts = self.account.notional
            amounts[self.asset] = amounts.get(self.asset, 0) + notional - hold.notional
            hold.notional = notional

    def _open(self, change: int) -> None:
        self.open_orders += change
        self.account.open_orders += change

    def _end(self, hold: Hold) -> None:
        hold.done = True
        self._open(-1)
        self._count(hold)
        if hold.side > 0:
            if hold.price_ticks == self.own_bid:
                self._find_bid()
        elif hold.price_ticks == self.own_ask:
            self._find_ask()

    def _answer(self, hold: Hold) -> None:
        if hold.waiting:
            hold.waiting = False
            self.in_flight -= 1

    def wait_no_more(self) -> None:
        """A new run: what an earlier one sent is not on any line, and how long it took says nothing of ours."""
        for holds in (self.holds, self.requests):
            for hold in holds.values():
                self._answer(hold)

    def _stand(self, hold: Hold) -> None:
        """It may fill, at its price."""
        if hold.side > 0:
            self.own_bid = max(self.own_bid, hold.price_ticks)
        else:
            self.own_ask = min(self.own_ask, hold.price_ticks)

    def _find_bid(self) -> None:
        """The best has gone: the next one is looked for among all, at most open_orders_max, when an order ends."""
        best = NO_BID
        for holds in (self.holds, self.requests):
            for hold in holds.values():
                if hold.price_ticks > best and hold.side > 0 and not hold.done:
                    best = hold.price_ticks
        self.own_bid = best

    def _find_ask(self) -> None:
        best = NO_ASK
        for holds in (self.holds, self.requests):
            for hold in holds.values():
                if hold.price_ticks < best and hold.side < 0 and not hold.done:
                    best = hold.price_ticks
        self.own_ask = best

    def _forget_when_settled(self, hold: Hold) -> None:
        if hold.done and hold.ahead == 0:
            self.holds.pop(hold.client_order_id, None)

"""What we may still send to one venue: its windows (window.py) and what it told us to wait. Pure: time is handed in.

One budget serves every door of this process that reaches the venue, because the venue counts by address; what other
processes there use is known by the venue's answers. Each purpose may fill a window up to its own share, so that what
matters more always finds room: cancels before orders that reduce, those before questions, those before new orders and
market data. A request costs a few additions. What the venue says is used replaces what we counted where it is more; what
it wants us to wait (`hold`) goes before everything.

Times are engine time, ns.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from gateway.doors.window import CANCEL, NEW, REDUCE, SHARES_PCT, Kept, Purpose, Window, ends
from gateway.market import CONNECTIONS, ORDERS, RAW, WEIGHT, RateLimit, Used, VenueLimits

_S = 1_000_000_000
FOR_EVER_NS = 1 << 62
WINDOWS_MAX = 16
"""Limits that a venue may state; Binance has five. Chosen."""
HOLD_NS_DEFAULT = 60 * _S
"""Where a venue says "too much" and not until when: weights are counted by the minute (docs, "LIMITS")."""
HOLD_NS_MIN = _S
"""Where it says a time that is over (its clock, or a Retry-After of 0): it said "too much" all the same. Chosen."""
BAN_NS_DEFAULT = 120 * _S
"""The shortest ban there is (docs, "LIMITS": from 2 minutes to 3 days)."""
HOLD_NS_MAX = 3 * 86_400 * _S
"""The longest one (the same page): a date further off is a mistake, and must not stop us for ever."""
SPARING_NS = 10 * _S
"""Between two cancels while the venue wants nothing: six a minute, below what earned a ban anywhere we know of. Chosen."""


class Held(NamedTuple):
    """Until when nothing may be sent at all, nothing but cancels, and no order."""

    banned_ns: int = 0
    held_ns: int = 0
    orders_held_ns: int = 0


class Budget:
    """`order` and `cancel` are the order door's hot path; without limits everything passes and is only held."""

    def __init__(self, costs: VenueLimits | None = None) -> None:
        self.costs = costs
        self.held = Held()
        self.on_hold: Callable[[str, int], None] = lambda what, until_ns: None
        """Hears when the venue begins to want less of us: "banned", "held" or "orders held", and until when."""
        self._offset_ns = 0
        self._orders_from_ns = 0
        self._openings_from_ns = 0
        self._cancel_at_ns = self._told_ns = 0
        self._cancels_pass = True
        self._turn_ns = FOR_EVER_NS
        self._windows: list[Window] = []
        self._of_order: tuple[tuple[Window, int], ...] = ()
        self._of_cancel: tuple[tuple[Window, int], ...] = ()
        self._weights: tuple[Window, ...] = ()
        self._raw: tuple[Window, ...] = ()
        self._openings: tuple[Window, ...] = ()
        self.refused = dict.fromkeys(Purpose, 0)
        """Requests that found no room, by purpose."""
        self.set_limits(costs.limits if costs is not None else ())

    # -- what a venue allows --------------------------------------------------------------------------------------

    def set_limits(self, limits: Iterable[RateLimit]) -> None:
        """The venue states these. What is counted in a window stays; a limit that it no longer names stays as it was."""
        for limit in limits:
            if limit.interval_ns <= 0 or limit.limit <= 0 or limit.kind not in SHARES_PCT:
                continue
            known = self._window(limit.kind, limit.interval_ns)
            if known is not None:
                known.bound(limit.limit)
            elif len(self._windows) < WINDOWS_MAX:
                self._windows.append(Window(limit))
                self._turn_ns = 0
        self._weights, self._raw, self._openings = (self._of(kind) for kind in (WEIGHT, RAW, CONNECTIONS))
        costs = self.costs
        cancel, order = (costs.cancel_weight, costs.order_weight) if costs is not None else (0, 0)
        self._of_cancel = (*((one, cancel) for one in self._weights), *((one, 1) for one in self._raw))
        orders = (*((one, order) for one in self._weights), *((one, 1) for one in (*self._raw, *self._of(ORDERS))))
        self._of_order = tuple(row for row in orders if row[1])

    def set_clock(self, offset_ns: int) -> None:
        """The venue's clock minus ours: windows begin by it from their next beginning on."""
        self._offset_ns = offset_ns

    # -- may it go? -----------------------------------------------------------------------------------------------

    def order(self, now_ns: int, reducing: bool) -> bool:
        """HOT PATH: whether a new order may go; it is counted if so."""
        if now_ns >= self._turn_ns:
            self._turn(now_ns)
        purpose = REDUCE if reducing else NEW
        if now_ns < self._orders_from_ns:
            self.refused[purpose] += 1
            return False
        rows = self._of_order
        for window, amount in rows:
            if window.count + amount > window.ceilings[purpose]:
                self.refused[purpose] += 1
                return False
        for window, amount in rows:
            window.count += amount
        return True

    def cancel(self, now_ns: int) -> bool:
        """HOT PATH: whether a cancel may go; it is counted. It may fill a window to the brim.

        Only what the venue said stops it, or what it would certainly say: that a window is more than full.
        """
        if now_ns >= self._turn_ns:
            self._turn(now_ns)
        if (now_ns < self.held.held_ns or self._is_over()) and not self._spared(now_ns):
            self.refused[CANCEL] += 1
            return False
        for window, amount in self._of_cancel:
            window.count += amount
        return True

    def _is_over(self) -> bool:
        """By what was counted or told, and not by a guess: one more is refused, and earns a ban."""
        for window, amount in self._of_cancel:  # noqa: SIM110 - HOT PATH: a generator costs more than all of this
            if window.count - window.guess + amount > window.limit:
                return True
        return False

    def _spared(self, now_ns: int) -> bool:
        """While the venue wants nothing: now and then one cancel, and all of them once one was answered with a yes."""
        if now_ns < self.held.banned_ns:
            return False
        if now_ns < self._cancel_at_ns and (not self._cancels_pass or self._is_over()):
            return False
        self._cancel_at_ns = now_ns + SPARING_NS
        return True

    def cancels_pass(self, sent_ns: int) -> None:
        """A cancel of then was answered, and not with "too much": if it was sent since we were told so, the next ones may go."""
        if sent_ns > self._told_ns:
            self._cancels_pass = True

    def request(self, now_ns: int, purpose: Purpose, weight: int) -> bool:
        """Whether a request of that weight may go; it is counted if so."""
        if self.free_ns(now_ns, purpose, weight) > now_ns:
            self.refused[purpose] += 1
            return False
        self.spend(now_ns, weight)
        return True

    def spend(self, now_ns: int, weight: int) -> None:
        """Count a request that goes whatever there is."""
        if now_ns >= self._turn_ns:
            self._turn(now_ns)
        for window in self._weights:
            window.count += weight
        for window in self._raw:
            window.count += 1

    def give_back(self, counted_ns: int, weight: int, *, order: bool = False) -> None:
        """What was counted then never left: no network. Nobody who comes back to one may wait for what was not sent."""
        counted = [(one, weight) for one in self._weights] + [(one, 1) for one in self._raw]
        counted += [(one, 1) for one in self._windows if order and one.kind == ORDERS]
        for window, amount in counted:
            if counted_ns >= window.start_ns:
                window.count = max(window.count - amount, window.guess)

    def free_ns(self, now_ns: int, purpose: Purpose, weight: int) -> int:
        """When such a request may go, as far as is known; `now_ns` when it may."""
        if now_ns >= self._turn_ns:
            self._turn(now_ns)
        held_ns = self.held.banned_ns if purpose is CANCEL else self.held.held_ns
        return max([now_ns, held_ns, *ends(self._weights, purpose, weight), *ends(self._raw, purpose, 1)])

    def orders_free_ns(self, now_ns: int, purpose: Purpose) -> int:
        """When the next order may go, as far as is known."""
        full = [row.end_ns for row, amount in self._of_order if row.count + amount > row.ceilings[purpose]]
        return max([now_ns, self._orders_from_ns, *full])

    def cancels_free_ns(self, now_ns: int) -> int:
        """When the next cancel may go."""
        full = [row.end_ns for row, amount in self._of_cancel if row.count - row.guess + amount > row.limit]
        until_ns = max([self.held.held_ns, *full])
        if now_ns >= until_ns:
            return now_ns
        spared_ns = now_ns if self._cancels_pass and not full else min(self._cancel_at_ns, until_ns)
        return max(now_ns, self.held.banned_ns, spared_ns)

    def opening_free_ns(self, now_ns: int, purpose: Purpose, count: int = 1) -> int:
        """When so many WebSockets may be opened. The venue counts attempts: take each with `open`."""
        if now_ns >= self._turn_ns:
            self._turn(now_ns)
        held_ns = max(self.held.banned_ns, self._openings_from_ns)
        return max([now_ns, held_ns, *ends(self._openings, purpose, count)])

    def open(self, now_ns: int) -> None:
        """An opening is tried."""
        if now_ns >= self._turn_ns:
            self._turn(now_ns)
        for window in self._openings:
            window.count += 1

    # -- what the venue says --------------------------------------------------------------------------------------

    def learn(self, told: Sequence[Used], asked_ns: int, unanswered: int = 0) -> None:
        """The counts of an answer to a request of `asked_ns`. An answer from before a window began says nothing of it.

        Of weight the higher count is taken: ours has what is under way, the venue's what others of this address sent. Orders
        are given back as they fill (docs, "order_count_decrement"): there the venue's word holds, and what is `unanswered`
        besides.
        """
        for used in told:
            window = self._window(used.kind, used.interval_ns)
            if window is None or asked_ns < window.start_ns or used.count < 0:
                continue
            if used.limit > 0 and used.limit != window.limit:
                window.bound(used.limit)
            if used.kind == ORDERS:
                window.count = used.count + unanswered
            else:
                window.count = max(window.count - window.guess, used.count)
            window.guess = 0

    def hold(self, now_ns: int, until_ns: int, *, banned: bool = False, orders: bool = False) -> int:
        """The venue said "too much": nothing more of the kind before `until_ns`, 0 where it did not say. Returns until when.

        banned: nothing at all. orders: of the account's order count, so only orders wait.
        """
        if until_ns <= 0:
            until_ns = now_ns + (BAN_NS_DEFAULT if banned else HOLD_NS_DEFAULT)
            if orders:
                until_ns = max([row.end_ns for row, _ in self._of_order if row.kind == ORDERS][:1] or [until_ns])
        until_ns = max(min(until_ns, now_ns + HOLD_NS_MAX), now_ns + HOLD_NS_MIN)
        ban_ns, held_ns, orders_ns = self.held
        what, before_ns = ("banned", ban_ns) if banned else ("orders held", orders_ns) if orders else ("held", held_ns)
        if orders:
            orders_ns = max(orders_ns, until_ns)
        else:
            held_ns = max(held_ns, until_ns)
            self._cancels_pass = False
            self._told_ns = now_ns
            self._cancel_at_ns = max(self._cancel_at_ns, now_ns + SPARING_NS)
        self._take(Held(max(ban_ns, until_ns) if banned else ban_ns, held_ns, orders_ns))
        if before_ns <= now_ns < until_ns:
            self.on_hold(what, until_ns)
        return until_ns

    def refuse_opening(self, now_ns: int, retry_s: float, *, banned: bool) -> None:
        """The venue refused to open a WebSocket. Unless the address is banned, requests over REST are not concerned."""
        until_ns = now_ns + int(retry_s * _S) if retry_s >= 0 else 0
        if banned:
            self.hold(now_ns, until_ns, banned=True)
        else:
            self._openings_from_ns = min(until_ns or now_ns + HOLD_NS_DEFAULT, now_ns + HOLD_NS_MAX)

    def reason(self, now_ns: int) -> str:
        """What the venue wants of us now, for people; "" when nothing."""
        for until_ns in self.held:
            if now_ns < until_ns:
                return f"held for {(until_ns - now_ns) / 1e9:.1f} s more: the venue's rate limit was reached"
        return ""

    # -- over a restart -------------------------------------------------------------------------------------------

    def kept(self, now_ns: int, *, last: bool = False) -> list[Kept]:
        """The windows, to be written about once a second. last: nothing is spent any more."""
        if now_ns >= self._turn_ns:
            self._turn(now_ns)
        return [window.kept(last=last) for window in self._windows]

    def restore(self, rows: Iterable[Kept], held: Held, now_ns: int) -> None:
        """What an earlier run of this address left: windows that are still the present ones, and what it was told."""
        self._turn(now_ns)
        for row in rows:
            window = self._window(row.kind, row.interval_ns)
            if window is not None:
                window.restore(row)
        limit_ns = now_ns + HOLD_NS_MAX
        self._take(Held(*(until_ns if now_ns < until_ns <= limit_ns else 0 for until_ns in held)))
        self._cancels_pass = now_ns >= self.held.held_ns

    def reserve(self, weight: int, openings: int) -> list[Kept]:
        """What is written before a start: as `kept`, with all that it is about to spend."""
        ahead = {WEIGHT: weight, RAW: weight, CONNECTIONS: openings}
        return [window.reserve(ahead.get(window.kind, 0)) for window in self._windows]

    def half(self, purpose: Purpose) -> int:
        """Of the weight that such requests may use: what asks for more at once never finds an empty enough window."""
        return min([window.ceilings[purpose] // 2 for window in self._weights], default=0)

    def view(self) -> list[tuple[str, int, int, int]]:
        """(kind, seconds, count, limit) of each window, for people."""
        return [(row.kind, row.interval_ns // _S, row.count, row.limit) for row in self._windows]

    # -- inside ---------------------------------------------------------------------------------------------------

    def _take(self, held: Held) -> None:
        self.held = held
        self._orders_from_ns = max(held)

    def _of(self, kind: str) -> tuple[Window, ...]:
        return tuple(window for window in self._windows if window.kind == kind)

    def _window(self, kind: str, interval_ns: int) -> Window | None:
        for window in self._windows:
            if window.kind == kind and window.interval_ns == interval_ns:
                return window
        return None

    def _turn(self, now_ns: int) -> None:
        """Windows that are over begin anew."""
        for window in self._windows:
            if now_ns >= window.end_ns:
                window.begin(now_ns, self._offset_ns)
        self._turn_ns = min([window.end_ns for window in self._windows], default=FOR_EVER_NS)

"""What goes wrong with requests: each kind adds its part to the plan of one request. Pure."""

from collections.abc import Callable

from ..core.errors import Banned, LimitReached, StatusUnknown, VenueError
from ..core.orders import Order
from ..operations import Ask, Kind
from ..payload import NS_PER_MS, Json
from .active import Fault, Stage
from .face import BOOK_OPERATION, FaultedFace
from .falsehoods import Falsehoods, off_by
from .kinds import KINDS
from .late_fill import LateFill
from .past import PastBooks, PastOrders, rows_until
from .plan import NOTHING, RequestPlan, Within
from .whom import asker, client_order_id, fits_ask, named_order

MESSAGES = {
    -1006: "An unexpected response was received from the message bus. Execution status unknown.",
    -1007: "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
}
"""errors.md, "10xx - General Server or Network issues"."""
STATUSES = {-1006: 500, -1007: 504}
"""Chosen: rest-api.md, "HTTP Return Codes", says of 5XX that the execution status is unknown, and not which goes with which."""
PAGES = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Time-out"}


class Draft:
    """A plan in the making."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.before_ns = 0
        self.refusal: VenueError | None = None
        self.swallowed = False
        self.within: list[Within] = []
        self.rewrites: list[Callable[[Json], Json]] = []
        self.error: VenueError | None = None
        self.events_first = False
        self.after_ns = 0
        self.copies = 1
        self.cuts = False

    def plan(self) -> RequestPlan:
        touched = self.faults or self.rewrites or self.events_first
        if not touched:
            return NOTHING
        return RequestPlan(
            faults=tuple(self.faults),
            before_ns=self.before_ns,
            refusal=self.refusal,
            swallowed=self.swallowed,
            within=tuple(self.within),
            rewrite=self._rewrite if self.rewrites else None,
            error=self.error,
            events_first=self.events_first,
            after_ns=self.after_ns,
            copies=self.copies,
            cuts=self.cuts,
        )

    def _rewrite(self, result: Json) -> Json:
        for rewrite in self.rewrites:
            result = rewrite(result)
        return result


class RequestFaultsOfFace:
    """One face's."""

    def __init__(self, face: FaultedFace, stage: Stage, falsehoods: Falsehoods, on_mark: Callable[[], None]) -> None:
        self._face = face
        self._stage = stage
        self._falsehoods = falsehoods
        self._on_mark = on_mark
        self._faults: list[Fault] = []
        self._bans: dict[int, dict[str, int]] = {}  # fault -> address -> until when
        self._books = PastBooks(face, stage)
        self._orders = PastOrders(face)
        self._effects: dict[str, Callable[[Fault, Ask, Draft], str]] = {
            "snapshot-stale": self._stale,
            "request-delay": _delay_request,
            "request-lost": _lose_request,
            "answer-delay": _delay_answer,
            "answer-lost": _lose_answer,
            "answer-double": _double_answer,
            "answer-cut": _cut_answer,
            "events-first": _events_first,
            "fill-after-cancel": self._fill_late,
            "unknown": _unknown,
            "rate-limited": self._limit,
            "banned": self._ban,
            "query-lag": self._lag,
            "unknown-status": self._mark,
            "balance-wrong": self._misstate,
        }

    @property
    def is_idle(self) -> bool:
        return not self._faults and not self._falsehoods.are_told

    def use(self, faults: list[Fault]) -> None:
        """Heed these from now on."""
        self._faults = [fault for fault in faults if fault.spec.whom.face in ("", self._face.name)]
        self._books.keep(lambda: [fault.spec.whom.symbol for fault in self._present("snapshot-stale")])
        self._orders.keep(lambda: bool(self._present("query-lag")))

    def undo(self, number: int) -> None:
        """The fault of that number is removed: what it said of the moments to come holds no more."""
        for address, until_ms in self._bans.pop(number, {}).items():
            self._face.limits.lift(address, until_ms)

    def _present(self, kind: str) -> list[Fault]:
        return [fault for fault in self._faults if fault.spec.kind == kind and not fault.is_over]

    def plan(self, ask: Ask, draft: Draft) -> None:
        over = False
        for fault in self._faults:
            over = over or fault.is_over
            if self._is_chance(fault, ask) and fault.hit():
                done = self._effects[fault.spec.kind](fault, ask, draft)
                draft.faults.append(fault.spec.name)
                symbol = ask.params.get("symbol", "")
                fault.note(done, self._face.name, ask.name, symbol, client_order_id(ask.params))
        if over:
            self.use([fault for fault in self._faults if not fault.is_over])
        if self._falsehoods.are_told:
            draft.rewrites.append(lambda result: self._falsehoods.in_answer(self._face, result))

    def _is_chance(self, fault: Fault, ask: Ask) -> bool:
        kind, operation = KINDS[fault.spec.kind], ask.operation
        if operation.kind not in kind.asks or kind.door not in ("", ask.door):
            return False
        match fault.spec.kind:
            case "snapshot-stale" if ask.name != BOOK_OPERATION:
                return False
            case "query-lag" if operation.kind is Kind.ACCOUNT and not operation.pages:
                return False  # of the account's own questions only those for histories
            case "balance-wrong" if ask.name not in self._face.balance_operations:
                return False
            case "fill-after-cancel" if not self._is_open(ask):
                return False
        return fits_ask(fault.spec.whom, self._face, ask)

    def _is_open(self, ask: Ask) -> bool:
        order: Order | None = named_order(ask, self._face)
        if order is None and ask.operation.kind is Kind.CANCEL:  # all of a symbol
            registry = self._face.market.engine.registry
            return any(_works(one) for one in registry.open_orders(asker(ask), ask.params.get("symbol", "")))
        return order is not None and _works(order)

    # ---- kinds that need the face

    def _stale(self, fault: Fault, ask: Ask, draft: Draft) -> str:
        symbol, age_s = ask.params.get("symbol", ""), fault.spec.number("age_s")
        draft.rewrites.append(lambda result: self._books.as_of(symbol, age_s, result))
        return f"the book of {age_s:g} s ago"

    def _lag(self, fault: Fault, ask: Ask, draft: Draft) -> str:
        lag_ms = fault.spec.number("lag_ms")
        then_ns = self._stage.clock() - int(lag_ms * NS_PER_MS)
        draft.within.append(lambda: self._orders.as_of(then_ns))
        if ask.operation.kind is Kind.ACCOUNT:
            draft.rewrites.append(lambda result: rows_until(result, then_ns))
        return f"answered as of {lag_ms:g} ms ago"

    def _fill_late(self, fault: Fault, ask: Ask, draft: Draft) -> str:
        share, is_all = fault.schedule.draws.random(), fault.spec.flag("all")
        late = LateFill(self._face.market.engine, share, all=is_all, stale=fault.spec.flag("stale"))
        draft.within.append(late.during)
        return "filled all of it" if is_all else "filled a part of it"

    def _limit(self, fault: Fault, ask: Ask, draft: Draft) -> str:
        retry_s = fault.spec.number("retry_s")
        retry_at_ms = ask.received_ns // NS_PER_MS + int(retry_s * 1_000)
        draft.refusal = LimitReached(-1003, "Too many requests queued.", retry_at_ms)
        return f"429, come back in {retry_s:g} s"

    def _ban(self, fault: Fault, ask: Ask, draft: Draft) -> str:
        """The desk's own limits answer, this request and the next ones."""
        seconds, now_ms = fault.spec.number("seconds"), ask.received_ns // NS_PER_MS
        self._face.limits.ban(ask.address, now_ms, int(seconds * 1_000))
        until_ms = now_ms + int(seconds * 1_000)
        self._bans.setdefault(fault.number, {})[ask.address] = until_ms
        draft.refusal = Banned(-1003, "Way too much request weight used; IP banned.", until_ms)
        return f"418 for {seconds:g} s"

    def _mark(self, fault: Fault, ask: Ask, draft: Draft) -> str:
        word = fault.spec.text("status")

        def mark(result: Json) -> Json:
            if fault.ended:  # removed while the request was held
                return result
            self._falsehoods.mark(self._face, result, word, fault.number)
            self._on_mark()
            return self._falsehoods.in_answer(self._face, result)

        draft.rewrites.append(mark)
        return f"shows status {word}"

    def _misstate(self, fault: Fault, ask: Ask, draft: Draft) -> str:
        asset, amount = fault.spec.text("asset"), int(fault.spec.number("amount"))
        draft.rewrites.append(lambda result: off_by(result, self._face.answer_balance, asset, amount))
        return f"{asset} told wrong"


def _works(order: Order) -> bool:
    """Whether it can trade: open, and no stop that waits."""
    return order.is_open and order.working_ns > 0


def _delay_request(fault: Fault, ask: Ask, draft: Draft) -> str:
    delay_ns = fault.draw_ns("delay_ms")
    draft.before_ns += delay_ns
    return f"held for {delay_ns / 1e6:.0f} ms before the matching engine"


def _lose_request(fault: Fault, ask: Ask, draft: Draft) -> str:
    draft.swallowed = True
    return "neither done nor answered"


def _delay_answer(fault: Fault, ask: Ask, draft: Draft) -> str:
    delay_ns = fault.draw_ns("delay_ms")
    draft.after_ns += delay_ns
    return f"answered late by {delay_ns / 1e6:.0f} ms"


def _lose_answer(fault: Fault, ask: Ask, draft: Draft) -> str:
    draft.copies = 0
    return "done and not answered"


def _double_answer(fault: Fault, ask: Ask, draft: Draft) -> str:
    draft.copies += draft.copies > 0
    return "answered twice"


def _cut_answer(fault: Fault, ask: Ask, draft: Draft) -> str:
    draft.cuts = True
    return "done, and the connection cut"


def _events_first(fault: Fault, ask: Ask, draft: Draft) -> str:
    draft.events_first = True
    return "events before the answer"


def _unknown(fault: Fault, ask: Ask, draft: Draft) -> str:
    parameters = fault.spec.parameters
    outcome = fault.spec.text("outcome")
    drawn = fault.schedule.draws.choice(("done", "not-done"))
    outcome = drawn if outcome == "either" else outcome
    status = parameters.get("status")
    error: VenueError
    if isinstance(status, int):
        error = StatusUnknown(
            -1000, PAGES[status], status, f"<html><body>{status} {PAGES[status]}</body></html>".encode()
        )
    else:
        code = parameters.get("code") or -1007
        assert isinstance(code, int)
        error = StatusUnknown(code, MESSAGES[code], STATUSES[code])
    if outcome == "done":
        draft.error = error
    else:
        draft.refusal = error
    return (
        f"{outcome}, answered {error.status} {error.code if status is None else 'without a word of the venue'}".strip()
    )

"""The supervisor: ops' ear on the bus. It hears states and alerts, logs them, and tells the engine when to go on or stop."""

import asyncio
from collections.abc import Callable

from bus.actor import NOTHING, Handler
from bus.codec import TYPE_OF_TAG
from bus.messages import (
    ActorFailed,
    ActorsRestarted,
    Alert,
    AlertLevel,
    AnswerKind,
    BookState,
    BookStateChanged,
    CommandAnswered,
    Control,
    CooldownHeld,
    Difference,
    DifferenceKind,
    LeadershipLost,
    LeadershipWon,
    LedgerAdjusted,
    LedgerCompared,
    LimitsTightened,
    Message,
    OperatorCommand,
    OrderRefused,
    OrdersQuiet,
    OrdersReady,
    PrivateStreamSuspected,
    Reconciled,
    Refusal,
    StrategyQuarantined,
    TradingState,
    TradingStateChanged,
)
from gateway.binance_spot.decimals import SCALE
from ops import events
from ops.answers import Answers
from ops.config import decimal_text

LINES_MAX = 3
"""Lines of one kind in the log before it is only counted; chosen."""
KINDS_MAX = 10_000
SCALES_TOO_COARSE = "scales_too_fine"
"""The alert's name in actors/market_data."""


class Supervisor:
    """A receiver that only remembers, logs and sets events; it answers nothing."""

    name = "supervisor"

    def __init__(self) -> None:
        self.handlers: dict[type[Message], Handler] = {
            Alert: self._alert,
            OrderRefused: self._refused,
            BookStateChanged: self._book,
            TradingStateChanged: self._trading,
            LeadershipWon: self._won,
            LeadershipLost: self._lost,
            CooldownHeld: self._cooldown,
            OrdersReady: self._ready,
            OrdersQuiet: self._quiet,
            LedgerCompared: self._ledger,
            LedgerAdjusted: self._adjusted,
            Difference: self._difference,
            Reconciled: self._reconciled,
            PrivateStreamSuspected: self._suspected,
            LimitsTightened: self._tightened,
            StrategyQuarantined: self._quarantined,
            ActorsRestarted: self._restarted,
            ActorFailed: self._failed,
            OperatorCommand: self._commanded,
            CommandAnswered: self._answered,
        }
        self.answers = Answers()
        """To whoever gave a command from another process."""
        self.on_command: Callable[[OperatorCommand], object] = lambda command: None
        """Hears each command, which is in the journal by then."""
        self.ready = asyncio.Event()
        self.quiet = asyncio.Event()
        self.coarse = asyncio.Event()
        """A frame was finer than its instrument's scales: the venue's metadata may say why."""
        self.unresolved = -1
        self.kept = 0
        self.reconciled: tuple[str, int, int] | None = None
        """Trigger, engine time and differences of the last comparison with the venue."""
        self.ledger_compared_ns = 0
        """Engine time of the last one that had the ledger in it; 0: none yet."""
        self.flattened = asyncio.Event()
        self.flat: CommandAnswered | None = None
        """What became of the positions that a stop had closed, or whoever `flat_for` names."""
        self.flat_for = ""
        self.books: dict[int, BookStateChanged] = {}
        """The last word on each book."""
        self.trading: dict[str, TradingState] = {"engine": TradingState.CANCEL_ONLY}
        self.alerts = dict.fromkeys(AlertLevel, 0)
        self.failures = 0
        self.differences: dict[str, tuple[int, int]] = {}
        self.refusals: dict[str, int] = {}
        self.symbols: dict[int, str] = {}
        self.scales: dict[str, int] = {}
        """Decimals of an asset's amounts, as its instruments have them; of one that no instrument names, the venue's own."""
        self.held_in: dict[int, tuple[str, int]] = {}
        """What a position in an instrument is counted in, and its decimals: the base asset, or the contract."""
        self.store = ""
        """Where this instance coordinates; see ops.standby.store_name."""
        self._said: dict[str, int] = {}

    def _alert(self, alert: Alert, now_ns: int) -> tuple[Message, ...]:
        self.alerts[alert.level] += 1
        if alert.event == SCALES_TOO_COARSE:
            self.coarse.set()
        if self._worth_a_line(f"{alert.actor} {alert.event} {alert.instrument}"):
            write = (events.info, events.warning, events.critical)[alert.level]
            where = {"instrument": self.symbol(alert.instrument)} if alert.instrument >= 0 else {}
            write(alert.event, actor=alert.actor, **where, **({"detail": alert.detail} if alert.detail else {}))
        return NOTHING

    def _worth_a_line(self, what: str) -> bool:
        """The first LINES_MAX of a kind, then every power of two: a flood stays short, and its size is seen."""
        count = self._said[what] = self._said.get(what, 0) + 1
        if len(self._said) > KINDS_MAX:
            self._said.clear()
        if count > LINES_MAX and count & (count - 1) == 0:
            events.info("repeated", what=what, times=count)
        return count <= LINES_MAX

    def symbol(self, instrument: int) -> str:
        return self.symbols.get(instrument, str(instrument))

    def _refused(self, refused: OrderRefused, now_ns: int) -> tuple[Message, ...]:
        name = refused.reason.name
        self.refusals[name] = self.refusals.get(name, 0) + 1
        if self._worth_a_line(f"order_refused {name} {refused.instrument}"):
            # A band is made wider at the first order outside of it: that is how it begins, and no trouble.
            write = events.info if refused.reason is Refusal.BAND else events.warning
            write("order_refused", instrument=self.symbol(refused.instrument), owner=refused.owner, reason=name)
        return NOTHING

    def _book(self, change: BookStateChanged, now_ns: int) -> tuple[Message, ...]:
        self.books[change.instrument] = change
        write = events.info if change.state in (BookState.LIVE, BookState.SYNCING) else events.warning
        write(
            "book_state", instrument=self.symbol(change.instrument), state=change.state.name, reason=change.reason.name
        )
        return NOTHING

    def _trading(self, change: TradingStateChanged, now_ns: int) -> tuple[Message, ...]:
        self.trading[change.scope] = change.state
        write = events.info if change.state is TradingState.ACTIVE else events.warning
        kind, _, number = change.scope.partition(":")
        scope = self.symbol(int(number)) if kind == "instrument" and number.isdigit() else change.scope
        write("trading_state", scope=scope, state=change.state.name, reason=change.reason)
        return NOTHING

    def _won(self, won: LeadershipWon, now_ns: int) -> tuple[Message, ...]:
        events.info(
            "leadership_won", epoch=won.epoch, holder=won.holder, left_by_epoch=won.left_epoch, store=self.store
        )
        return NOTHING

    def _lost(self, lost: LeadershipLost, now_ns: int) -> tuple[Message, ...]:
        events.critical(
            "leadership_lost",
            epoch=lost.epoch,
            reason=lost.reason,
            remedy="this engine stands by again by itself; what the reason names, if anything, is for you",
        )
        return NOTHING

    def _cooldown(self, held: CooldownHeld, now_ns: int) -> tuple[Message, ...]:
        """Said at its beginning and at its end."""
        left_ms = (held.until_ns - now_ns) // 1_000_000
        if left_ms > 0:
            events.warning("cooldown", instrument=self.symbol(held.instrument), left_ms=left_ms, reason=held.reason)
        return NOTHING

    def _ready(self, ready: OrdersReady, now_ns: int) -> tuple[Message, ...]:
        events.info(
            "orders_ready", epoch=ready.epoch, adopted=ready.adopted, canceled=ready.canceled, fills=ready.fills
        )
        self.ready.set()
        return NOTHING

    def _quiet(self, quiet: OrdersQuiet, now_ns: int) -> tuple[Message, ...]:
        self.unresolved, self.kept = quiet.unresolved, quiet.kept
        self.quiet.set()
        return NOTHING

    def _ledger(self, compared: LedgerCompared, now_ns: int) -> tuple[Message, ...]:
        self.answers.overheard(compared)
        scale = self.scales.get(compared.asset, SCALE)
        ours, venues = decimal_text(compared.ours, scale), decimal_text(compared.venues, scale)
        if compared.baseline:
            events.info("ledger_baseline", asset=compared.asset, amount=venues)
        elif compared.ours != compared.venues:
            self.differences[compared.asset] = (compared.ours, compared.venues)
            events.critical("ledger_difference", asset=compared.asset, ours=ours, venue=venues)
        else:
            self.differences.pop(compared.asset, None)
        return NOTHING

    def _failed(self, failure: ActorFailed, now_ns: int) -> tuple[Message, ...]:
        self.failures += 1
        if self._worth_a_line(f"actor_failed {failure.actor} {failure.message_tag}"):
            kind = TYPE_OF_TAG.get(failure.message_tag)
            events.critical("actor_failed", actor=failure.actor, on=kind.__name__ if kind else "?", error=failure.error)
        return NOTHING

    def _restarted(self, restarted: ActorsRestarted, now_ns: int) -> tuple[Message, ...]:
        events.warning(
            "actors_restarted", actors=",".join(restarted.actors), attempt=restarted.attempt, reason=restarted.reason
        )
        return NOTHING

    def _quarantined(self, quarantined: StrategyQuarantined, now_ns: int) -> tuple[Message, ...]:
        events.critical(
            "strategy_quarantined",
            owner=quarantined.owner,
            reason=quarantined.reason,
            remedy="its quotes are pulled; mend the strategy and start again",
        )
        return NOTHING

    # -- a person's word ----------------------------------------------------------------------------------------------

    def _commanded(self, command: OperatorCommand, now_ns: int) -> tuple[Message, ...]:
        where = {"instrument": self.symbol(command.instrument)} if command.instrument >= 0 else {}
        owner = {"owner": command.owner} if command.owner else {}
        events.warning("operator", command=command.control.name, **where, **owner, reason=command.reason)
        self.answers.heard(command)
        self.on_command(command)
        return NOTHING

    def _answered(self, answer: CommandAnswered, now_ns: int) -> tuple[Message, ...]:
        events.info("operator_answered", command=answer.control.name, answer=answer.kind.name, text=answer.text)
        self.answers.answered(answer)
        awaited = answer.control is Control.FLATTEN and answer.asker == self.flat_for
        if awaited and answer.kind is not AnswerKind.FOLLOWS:
            self.flat = answer
            self.flattened.set()
        return NOTHING

    # -- what was found out about the venue and ourselves -------------------------------------------------------------

    def _adjusted(self, adjusted: LedgerAdjusted, now_ns: int) -> tuple[Message, ...]:
        self.answers.overheard(adjusted)
        amount = decimal_text(adjusted.units, self.scales.get(adjusted.asset, SCALE))
        events.warning("ledger_adjusted", asset=adjusted.asset, amount=amount, reason=adjusted.reason)
        return NOTHING

    def _difference(self, found: Difference, now_ns: int) -> tuple[Message, ...]:
        self.answers.overheard(found)
        if self._worth_a_line(f"difference {found.kind.name} {found.instrument}"):
            events.warning(
                "difference",
                kind=found.kind.name,
                subject=found.subject,
                ours=self._counted(found, found.ours),
                venue=self._counted(found, found.venues),
                action=found.action,
            )
        return NOTHING

    def _counted(self, found: Difference, units: int) -> str:
        """With its unit: a balance in its asset, executions and positions in what is held, orders in lots."""
        if found.kind is DifferenceKind.BALANCE:
            unit, scale = found.subject, self.scales.get(found.subject, SCALE)
        elif found.kind in (DifferenceKind.FILL_MISSING, DifferenceKind.POSITION):
            unit, scale = self.held_in.get(found.instrument, ("base units", 0))
        else:
            unit, scale = "lots", 0
        return f"{decimal_text(units, scale)} {unit}"

    def _reconciled(self, done: Reconciled, now_ns: int) -> tuple[Message, ...]:
        self.answers.overheard(done)
        self.reconciled = (done.trigger, now_ns, done.differences)
        if done.compared:
            self.ledger_compared_ns = now_ns
        if done.differences or not done.compared or self._worth_a_line(f"reconciled {done.trigger}"):
            events.info(
                "reconciled",
                trigger=done.trigger,
                orders=done.orders,
                fills=done.fills,
                differences=done.differences,
                ledger_compared=done.compared,
                took_ms=done.took_ns // 1_000_000,
            )
        return NOTHING

    def _suspected(self, suspected: PrivateStreamSuspected, now_ns: int) -> tuple[Message, ...]:
        if self._worth_a_line("private_stream_suspected"):
            events.warning("private_stream_suspected", reason=suspected.reason, renewed=suspected.renew)
        return NOTHING

    def _tightened(self, limits: LimitsTightened, now_ns: int) -> tuple[Message, ...]:
        write = events.warning if limits.step else events.info
        write("limits", step=limits.step, reason=limits.reason)
        return NOTHING

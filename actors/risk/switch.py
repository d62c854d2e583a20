"""The kill switch: who may stop trading, how far, and what starts it again: causes.py is the table. What was lost is judged
in losses.py, lateness and silence in watch.py. Pure; off the hot path but `state_for`.
"""

from collections.abc import Collection, Sequence

from actors.risk.causes import ENDS, NEVER, cause_of
from actors.risk.limits import AccountLimits
from actors.risk.losses import Losses
from actors.risk.people import alert, answer, standing
from actors.risk.states import ACTIVE, ENGINE, Reason, Reasons, instrument_scope, owner_scope, venue_scope
from actors.risk.watch import Watch
from bus.actor import NOTHING
from bus.messages import (
    ActorFailed,
    ActorsRestarted,
    AlertLevel,
    AnswerKind,
    BaselineAwaited,
    BaselineTaken,
    ClockEstimate,
    Control,
    CooldownHeld,
    EngineStarted,
    Instrument,
    LeadershipLost,
    LedgerCompared,
    Message,
    OperatorCommand,
    OrdersReady,
    OrdersUnready,
    StopRequested,
    StrategyQuarantined,
    TradingState,
    TradingStateChanged,
    decimal_text,
)

ORDERED = {
    Control.HALT: TradingState.HALTED,
    Control.CANCEL_ONLY: TradingState.CANCEL_ONLY,
    Control.REDUCE: TradingState.REDUCING,
    Control.FLATTEN: TradingState.CANCEL_ONLY,  # for everybody but the orders that close: they are the operator's own
}
OPERATOR = "operator"
VENUE_SCALE = 8
"""Decimals of an asset that no instrument names: as many as Binance itself has of any."""
HEARD_MAX = 256
"""Names of commands that lay in the state directory, youngest last: several times what may lie there (ops.halts)."""


class Switch:
    def __init__(self, limits: AccountLimits, traded: Collection[int]) -> None:
        self.limits = limits
        self.reasons = Reasons()
        self.losses = Losses(limits, self.reasons)
        self.watch = Watch(limits, self.reasons, traded)
        self.venue = venue_scope(limits.venue)
        self.instruments: dict[int, str] = {}
        self.owners: dict[str, str] = {}
        self.heard: list[str] = []
        self.scales: dict[str, int] = {}
        """Decimals of an asset's amounts, and of a contract's position, for people."""
        self.losses.amount = self.amount
        self._configured()
        self.reasons.hold(ENGINE, "orders", TradingState.CANCEL_ONLY, "start")

    def _configured(self) -> None:
        for owner, state in self.limits.owner_states.items():
            self.reasons.hold(owner_scope(owner), "settings", state, "configuration")

    def state_for(self, instrument: int, owner: str) -> TradingState:
        """The strictest of engine, venue, instrument and owner. Scope names are made once: no formatting on the path."""
        if owner == OPERATOR:
            return self._state_for_operator(instrument)
        states = self.reasons.states
        scope = self.instruments.get(instrument)
        if scope is None:
            scope = self.instruments[instrument] = instrument_scope(instrument)
        owned = self.owners.get(owner)
        if owned is None:
            owned = self.owners[owner] = owner_scope(owner)
        state = self.reasons.engine
        here = states.get(self.venue, ACTIVE)
        if here > state:
            state = here
        here = states.get(scope, ACTIVE)
        if here > state:
            state = here
        here = states.get(owned, ACTIVE)
        return here if here > state else state

    def _state_for_operator(self, instrument: int) -> TradingState:
        scopes = (ENGINE, self.venue, instrument_scope(instrument))
        held = self.reasons.held.values()
        return max(
            (row.state for row in held if row.scope in scopes and cause_of(row.name).binds_operator), default=ACTIVE
        )

    # Run

    def on_started(self, _started: EngineStarted, now_ns: int) -> tuple[Message, ...]:
        """Says every scope's state once, so that execution and strategy need not have seen the change."""
        reasons = self.reasons
        self.watch.begin(now_ns)
        self.losses.begin()
        reasons.drop(ENGINE, "stop", "start")
        reasons.drop(ENGINE, "leadership", "start")
        reasons.drop(ENGINE, "actor_failed", "start")
        for held in reasons.saved():
            if held.name == "quarantine":
                reasons.drop(held.scope, held.name, "start")
        reasons.hold(ENGINE, "orders", TradingState.CANCEL_ONLY, "start")
        told = tuple(
            TradingStateChanged(scope, state, "start")
            for scope, state in reasons.states.items()
            if scope == ENGINE or state != ACTIVE
        )
        return told + self.watch.arm(now_ns)

    def on_ready(self, _ready: OrdersReady, now_ns: int) -> tuple[Message, ...]:
        return self.reasons.drop(ENGINE, "orders", "orders ready")

    def on_unready(self, unready: OrdersUnready, now_ns: int) -> tuple[Message, ...]:
        return self.reasons.hold(ENGINE, "orders", TradingState.CANCEL_ONLY, unready.reason)

    def on_stop(self, stop: StopRequested, now_ns: int) -> tuple[Message, ...]:
        return self.reasons.hold(ENGINE, "stop", TradingState.CANCEL_ONLY, stop.reason)

    def amount(self, units: int, asset: str) -> str:
        return decimal_text(units, self.scales.get(asset, VENUE_SCALE))

    def name_scales(self, instrument: Instrument) -> None:
        held = instrument.venue_symbol if instrument.settle_asset else instrument.base_asset
        self.scales |= {held: instrument.base_scale, instrument.quote_asset: instrument.quote_scale}

    def on_instrument(self, instrument: Instrument, now_ns: int) -> tuple[Message, ...]:
        """What the venue does not trade has nothing resting; what it trades again is released here alone."""
        self.name_scales(instrument)
        scope = instrument_scope(instrument.instrument)
        if instrument.trading:
            return self.reasons.drop(scope, "venue", "the venue trades it")
        return self.reasons.hold(scope, "venue", TradingState.CANCEL_ONLY, "the venue does not trade it now")

    # Other instances

    def on_leadership_lost(self, lost: LeadershipLost, now_ns: int) -> tuple[Message, ...]:
        return self.reasons.hold(ENGINE, "leadership", TradingState.CANCEL_ONLY, lost.reason)

    def on_cooldown(self, cooldown: CooldownHeld, now_ns: int) -> tuple[Message, ...]:
        scope = instrument_scope(cooldown.instrument)
        if cooldown.until_ns <= now_ns:
            return self.reasons.drop(scope, "cooldown", "the cooldown is over")
        return self.reasons.hold(scope, "cooldown", TradingState.REDUCING, cooldown.reason)

    # People

    def on_operator(self, command: OperatorCommand, now_ns: int) -> tuple[Message, ...]:
        """A looser order does not loosen a stricter one: that is RESUME's, and a RESUME says why. FLATTEN is answered by
        who closes, CANCEL_ALL by orders.
        """
        scope = owner_scope(command.owner) if command.owner else ENGINE
        if command.instrument >= 0:
            scope = instrument_scope(command.instrument)
        elif command.venue >= 0:
            scope = venue_scope(command.venue)
        if command.left:
            if command.left in self.heard:
                return NOTHING  # once is enough: since then a RESUME may have come
            self.heard = [*self.heard[1 - HEARD_MAX :], command.left]
        if command.control is Control.RESUME:
            return self._resume(command, scope)
        ordered = ORDERED.get(command.control)
        if ordered is None:
            return NOTHING
        held = self.reasons.held.get((scope, OPERATOR))
        changes: tuple[Message, ...] = ()
        if held is None or held.state < ordered:
            changes = self.reasons.hold(scope, OPERATOR, ordered, command.reason)
        if command.control is Control.FLATTEN:
            return changes
        before = "" if held is None or held.state < ordered else f", as it was: {held.text}"
        return (*changes, answer(command, AnswerKind.DONE, f"{self.reasons.states[scope].name}{before}"))

    def _resume(self, command: OperatorCommand, scope: str) -> tuple[Message, ...]:
        if not command.reason.strip():
            said = alert(AlertLevel.WARNING, "resume_without_reason", f"scope={scope}", command.instrument)
            return (said, answer(command, AnswerKind.FAILED, "refused: it was not said why; give a reason"))
        changes: tuple[Message, ...] = ()
        for held in self.reasons.saved():
            resume = cause_of(held.name).resume
            if resume is not NEVER and (held.scope == scope or (scope == ENGINE and resume is ENDS)):
                changes += self.reasons.drop(held.scope, held.name, command.reason)
        if scope == ENGINE:
            self.losses.begin_anew()
        rest = standing(self.reasons.saved(), (ENGINE, scope), scope)
        return (*changes, answer(command, AnswerKind.FAILED if rest else AnswerKind.DONE, rest or "ACTIVE"))

    # Things that went wrong

    def on_actor_failed(self, failed: ActorFailed, now_ns: int) -> tuple[Message, ...]:
        text = f"actor={failed.actor} tag={failed.message_tag} error={failed.error}"
        changes = self.reasons.hold(ENGINE, "actor_failed", TradingState.CANCEL_ONLY, text)
        return (*changes, alert(AlertLevel.CRITICAL, "actor_failed", text))

    def on_restarted(self, restarted: ActorsRestarted, now_ns: int) -> tuple[Message, ...]:
        return self.reasons.drop(ENGINE, "actor_failed", f"made anew: {', '.join(restarted.actors)}")

    def on_quarantined(self, quarantined: StrategyQuarantined, now_ns: int) -> tuple[Message, ...]:
        scope = owner_scope(quarantined.owner)
        return self.reasons.hold(scope, "quarantine", TradingState.CANCEL_ONLY, quarantined.reason)

    def on_clock(self, estimate: ClockEstimate, now_ns: int) -> tuple[Message, ...]:
        if estimate.venue != self.limits.venue:
            return NOTHING  # of data to look at: how late they are is FeedAge's to say
        name = f"clock:{estimate.venue}"
        error = abs(estimate.offset_ns) + estimate.uncertainty_ns
        if error <= self.limits.clock_error_ns_max:
            return self.reasons.drop(ENGINE, name, "clock good")
        text = f"clock off by more than the venue allows: error_ns={error} max_ns={self.limits.clock_error_ns_max}"
        fresh = not self.reasons.holds(ENGINE, name)
        changes: tuple[Message, ...] = self.reasons.hold(ENGINE, name, TradingState.CANCEL_ONLY, text)
        return (*changes, alert(AlertLevel.CRITICAL, "clock_off", text)) if fresh else changes

    def on_ledger(self, compared: LedgerCompared, now_ns: int) -> tuple[Message, ...]:
        if compared.baseline:
            return NOTHING
        name = f"ledger:{compared.asset}"
        dust = self.limits.dust.get(compared.asset, 0)
        if abs(compared.ours - compared.venues) <= dust:
            return self.reasons.drop(ENGINE, name, f"asset={compared.asset} agrees again")
        ours, venues, bound = (self.amount(units, compared.asset) for units in (compared.ours, compared.venues, dust))
        text = f"{compared.asset}: ours {ours}, venue's {venues}, dust bound {bound}"
        fresh = not self.reasons.holds(ENGINE, name)
        changes: tuple[Message, ...] = self.reasons.hold(ENGINE, name, TradingState.REDUCING, text)
        detail = f"asset={compared.asset} ours={ours} venue={venues} dust={bound}"
        return (*changes, alert(AlertLevel.CRITICAL, "ledger_differs", detail)) if fresh else changes

    def on_baseline_awaited(self, _awaited: BaselineAwaited, now_ns: int) -> tuple[Message, ...]:
        text = "the ledger has no start: look at the venue's balances, then `touchline reconcile --accept`"
        return self.reasons.hold(ENGINE, "baseline", TradingState.CANCEL_ONLY, text)

    def on_baseline(self, taken: BaselineTaken, now_ns: int) -> tuple[Message, ...]:
        """The ledger starts anew for these assets, so nothing differs any more."""
        changes: tuple[Message, ...] = self.reasons.drop(ENGINE, "baseline", "the ledger has a start")
        for asset in taken.assets:
            changes += self.reasons.drop(ENGINE, f"ledger:{asset}", f"asset={asset} has a new baseline")
        return changes

    def on_fills(self, instrument: int, limit: int) -> tuple[Message, ...]:
        """A quoter that is run over, or runs away. What reduces goes on: it is the way out."""
        scope = instrument_scope(instrument)
        if self.reasons.holds(scope, "fills"):
            return NOTHING
        text = f"{limit} fills within the window"
        changes = self.reasons.hold(scope, "fills", TradingState.REDUCING, text)
        return (*changes, alert(AlertLevel.CRITICAL, "too_many_fills", text, instrument))

    def on_rejects(self, instrument: int, limit: int) -> tuple[Message, ...]:
        scope = instrument_scope(instrument)
        if self.reasons.holds(scope, "rejects"):
            return NOTHING
        text = f"venue rejected {limit} orders within the window"
        changes = self.reasons.hold(scope, "rejects", TradingState.CANCEL_ONLY, text)
        return (*changes, alert(AlertLevel.CRITICAL, "too_many_rejects", text, instrument))

    # Checkpoint

    def restore(self, reasons: list[Reason], heard: Sequence[str] = ()) -> None:
        """What the configuration says of owners counts, not what it said when the checkpoint was taken."""
        self.heard = list(heard)
        self.reasons.restore([reason for reason in reasons if reason.name != "settings"])
        self._configured()

"""Our ledger against the venue's totals: where it starts, when a gap counts, and what becomes of one. Pure.

A total is free + locked, so working orders do not move it: only fills do. A gap counts when two looks in a row show the
same one, with the trades read in between (`BalancesJudged.again`). While executions come all the time the venue's totals must be
the ledger's at some moment between (`moments`); no start is taken from such. Up to the asset's dust it is booked as an adjustment,
all that was booked so together; beyond it stands, and risk keeps the engine from adding, until it is gone or a person
accepts it. What is neither traded nor paid as a fee follows the venue: a deposit or interest is said, and is ours then.
"""

from collections.abc import Callable, Mapping
from typing import Any

from actors.portfolio import margin, moments
from actors.portfolio.holdings import NAME, Holdings
from actors.portfolio.ledger import is_contract, totals_of
from actors.portfolio.settings import BaselinePolicy
from bus.messages import (
    Alert,
    AlertLevel,
    AnswerKind,
    BalancesJudged,
    BalancesReported,
    BaselineAwaited,
    BaselineTaken,
    CommandAnswered,
    Control,
    Difference,
    DifferenceKind,
    LedgerAdjusted,
    LedgerCompared,
    Message,
    OperatorCommand,
)

LOOKS_MAX = 5
"""Looks in a row that each show another gap, before the last one counts: somebody else moves the account; chosen."""
BY_DUST = "within the dust"
BOOKED = "booked as an adjustment"
STANDS = "REDUCING until it is gone or accepted: touchline reconcile --accept"
TO_ACCEPT = "no trading before it is accepted as the start: touchline reconcile --accept"


class Comparison:
    """compared: assets of configured instruments at the last comparison. said: gap by asset as last told, venue - ours.

    suspects: gaps of the last look that the next one must confirm, in `looks` looks so far: one row, or one for each moment that
    it may be of. offered: by asset, what a
    person's word would add to make the ledger start as the venue has it. unsure: fill number and totals of a look while orders worked, from which no baseline was taken yet.
    """

    __slots__ = ("compared", "holdings", "looks", "offered", "said", "show_all", "suspects", "unsure")

    def __init__(self, holdings: Holdings) -> None:
        self.holdings = holdings
        self.compared: dict[str, None] = {}
        self.begin_run()

    def begin_run(self) -> None:
        """Nobody else remembers what was said: the first comparison of a run says all of it."""
        self.said: dict[str, int] = {}
        self.suspects: list[dict[str, int]] = []
        self.looks = 0
        self.offered: dict[str, int] | None = None
        self.unsure: tuple[int, dict[str, int]] | None = None
        self.show_all = False

    # -- a look ---------------------------------------------------------------------------------------------------

    def on_balances(self, message: BalancesReported, now_ns: int) -> tuple[Message, ...]:
        held = self.holdings
        if held.deposed:
            held.count("balances_of_another_leader")  # his orders move them: they say nothing about our ledger
            return (self.verdict(0, compared=False),)
        held.succession.seed(message.trades)
        venues = totals_of(message)
        margin.see(held, message, venues)
        out: list[Message] = []
        if not (message.quiet or message.steady):
            return self.between(message, venues, now_ns)
        if not held.based and held.settings.baseline is BaselinePolicy.ASK:
            rows = self.offer(venues)
            return (*rows, self.verdict(sum(type(row) is Difference for row in rows)))
        if self.must_see_again(message, venues):
            self.looks = (self.looks + 1) % LOOKS_MAX  # at the bound it waits for the next look
            return (self.verdict(0, again=self.looks > 0, compared=self.looks > 0),)
        taken = self.baseline_of(venues, out)
        again, compared = self.gaps(message, venues, taken, out)
        self.compared = held.traded_assets()
        if taken:
            held.take_baseline(taken)
            out.insert(0, self.taken(taken))
        return self.told(out, now_ns, again=again, compared=compared)

    def between(self, message: BalancesReported, venues: dict[str, int], now_ns: int) -> tuple[Message, ...]:
        """Executions came while the venue was asked: what it has is our ledger of some moment between, and no start."""
        held = self.holdings
        out: list[Message] = []
        again = compared = False
        if message.moved and held.based and not self.newly_traded():
            again, compared = self.gaps(message, venues, {}, out)
        if not compared:
            held.count("balances_moved")
        return self.told(out, now_ns, again=again, compared=compared)

    def told(self, out: list[Message], now_ns: int, *, again: bool, compared: bool) -> tuple[Message, ...]:
        """What a look came to, whoever has to know of it, and the verdict."""
        held = self.holdings
        moved = any(type(said) is LedgerAdjusted or type(said) is BaselineTaken for said in out)
        if moved:
            out += margin.follow(held, now_ns)
        differences = sum(type(said) is Difference for said in out)
        state = held.account_state() if moved else ()
        return (*out, *state, self.verdict(differences, again=again, compared=compared))

    def verdict(self, differences: int, *, again: bool = False, compared: bool = True) -> BalancesJudged:
        return BalancesJudged(self.holdings.settings.account, differences, again, compared)

    def taken(self, totals: dict[str, int]) -> BaselineTaken:
        """The fact. What is traded now has its start with it: a run that is killed before its checkpoint takes no second one."""
        account, traded = self.holdings.settings.account, self.holdings.traded_assets()
        return BaselineTaken(account, tuple(totals), tuple(totals.values()), tuple(traded))

    # -- where the ledger starts ----------------------------------------------------------------------------------

    def must_see_again(self, message: BalancesReported, venues: dict[str, int]) -> bool:
        """The first totals while orders work: only two that agree, with no fill between, have all fills on one side."""
        held = self.holdings
        if message.quiet or (held.based and not self.newly_traded()):
            return False
        seen = (held.fill_number, venues)
        agrees, self.unsure = seen == self.unsure, seen
        return not agrees

    def newly_traded(self) -> list[str]:
        return [asset for asset in self.holdings.traded_assets() if asset not in self.compared] if self.compared else []

    def baseline_of(self, venues: dict[str, int], out: list[Message]) -> dict[str, int]:
        """Assets whose ledger starts now, or follows the venue. An asset that comes to be traded starts with what is there."""
        held = self.holdings
        judged = held.judged_assets(held.traded_assets())
        first = not held.based
        newly = self.newly_traded()
        stated = dict(held.settings.stated) if first and held.settings.baseline is BaselinePolicy.STATED else None
        taken: dict[str, int] = {}
        for asset in dict.fromkeys((*held.ledger.entries, *venues, *(stated or ()), *judged)):
            ours, theirs = held.ledger.total(asset), venues.get(asset, 0)
            other = asset not in judged
            if other and ours != theirs and not first:
                detail = f"asset={asset} ours={ours} venues={theirs}"
                out.append(Alert(AlertLevel.INFO, NAME, "balance_of_other_asset", -1, detail))
            if stated is not None and not other:
                taken[asset] = stated.get(asset, 0)
            elif (
                asset in newly or (other and ours != theirs) or (asset not in held.based and (ours or theirs or first))
            ):
                taken[asset] = theirs
            if asset in taken and (taken[asset] or ours):
                out.append(LedgerCompared(held.settings.account, asset, ours, taken[asset], True))
        return taken

    def offer(self, venues: dict[str, int]) -> list[Message]:
        """Shown once a run, when it changes, and to whoever asks."""
        held = self.holdings
        account = held.settings.account
        judged = held.judged_assets(held.traded_assets())
        offered = {asset: venues.get(asset, 0) - held.ledger.total(asset) for asset in (*judged, *venues)}
        news = self.offered != offered or self.show_all
        self.offered, self.show_all = offered, False
        if not news:
            return []
        shown = [asset for asset in judged if offered[asset]]
        rows = [self.row(asset, held.ledger.total(asset), venues.get(asset, 0), TO_ACCEPT) for asset in shown]
        detail = f"assets={','.join(shown)} remedy=look at them, then: touchline reconcile --accept --reason TEXT"
        alert = Alert(AlertLevel.CRITICAL, NAME, "baseline_not_accepted", -1, detail)
        return [BaselineAwaited(account, tuple(shown)), *rows, alert]

    # -- gaps -----------------------------------------------------------------------------------------------------

    def gaps(
        self, message: BalancesReported, venues: dict[str, int], taken: dict[str, int], out: list[Message]
    ) -> tuple[bool, bool]:
        """Say what differs now and did not before. Returns (not believed yet: look once more, it could be compared)."""
        held = self.holdings
        now: dict[str, int] = {}
        for asset in held.judged_assets(held.traded_assets()):
            now[asset] = venues.get(asset, 0) - taken.get(asset, held.ledger.total(asset))
        rows = moments.gaps(held, now, message.moved)
        found = self.likeliest(rows)
        if (found is None or self.is_fresh(found)) and not message.final and self.looks < LOOKS_MAX:
            self.looks += 1
            self.suspects = [{asset: gap for asset, gap in row.items() if gap} for row in rows]
            return True, True
        self.looks, self.suspects = 0, []
        if found is None:
            return False, False
        show_all, self.show_all = self.show_all or message.final, False
        for asset, gap in found.items():
            if asset in taken and not gap:
                self.said[asset] = 0  # its start was said
                continue
            if gap and asset not in taken and self.within_dust(asset, gap):
                self.adjust(asset, gap, BY_DUST, out)
                gap = 0
            if show_all or gap != self.said.get(asset, None):
                self.say(asset, gap, venues.get(asset, 0), out)
        return False, True

    def likeliest(self, rows: list[dict[str, int]]) -> dict[str, int] | None:
        """Of the moments that the venue's totals may be of: one that has no news, with as few assets that differ as can be.
        None: nobody can say.
        """
        if len(rows) == 1:
            return rows[0]
        known = [row for row in rows if not self.is_fresh(row)]
        return min(known, key=lambda row: sum(map(bool, row.values())), default=None)

    def is_fresh(self, found: dict[str, int]) -> bool:
        """Whether it shows a gap that neither stands nor was seen by the look before."""
        return not any(
            all(gap in (0, self.said.get(asset), suspects.get(asset)) for asset, gap in found.items())
            for suspects in self.suspects or [{}]
        )

    def within_dust(self, asset: str, gap: int) -> bool:
        """All that was booked so counts, so that small gaps of one sign end at a person too."""
        entry = self.holdings.ledger.entry(asset)
        return abs(entry.dust + gap) <= dict(self.holdings.settings.dust).get(asset, 0)

    def adjust(self, asset: str, units: int, reason: str, out: list[Message]) -> None:
        held = self.holdings
        account = held.settings.account
        held.count("ledger_adjusted")
        ours = held.ledger.total(asset)
        out.append(LedgerAdjusted(account, asset, units, reason))
        out.append(self.row(asset, ours, ours + units, f"{BOOKED}: {reason}"))
        held.ledger.adjust(asset, units, by_dust=reason == BY_DUST)

    def say(self, asset: str, gap: int, theirs: int, out: list[Message]) -> None:
        account = self.holdings.settings.account
        self.said[asset] = gap
        out.append(LedgerCompared(account, asset, theirs - gap, theirs, False))
        if gap:
            self.holdings.count("ledger_differs")
            out.append(self.row(asset, theirs - gap, theirs, STANDS))

    def row(self, asset: str, ours: int, theirs: int, words: str) -> Difference:
        """Of a contract the ledger's entry is its position."""
        account = self.holdings.settings.account
        for row in self.holdings.instruments.values():
            if row.venue_symbol == asset and is_contract(row):
                return Difference(account, DifferenceKind.POSITION, row.instrument, asset, ours, theirs, words)
        return Difference(account, DifferenceKind.BALANCE, -1, asset, ours, theirs, words)

    # -- a person's word ------------------------------------------------------------------------------------------

    def on_operator(self, command: OperatorCommand, now_ns: int) -> tuple[Message, ...]:
        """RECONCILE: what stands is said again by the look that follows. ACCEPT: what was said is booked, and nothing else."""
        if command.control is Control.RECONCILE:
            self.show_all = True
        if command.control is not Control.ACCEPT:
            return ()
        if not command.reason.strip():
            return (self.answer(command, AnswerKind.FAILED, "refused: it was not said why; give a reason"),)
        held = self.holdings
        out: list[Message] = []
        if self.offered is not None:
            taken = {asset: held.ledger.total(asset) + units for asset, units in self.offered.items()}
            held.take_baseline(taken)
            out.append(self.taken(taken))
            self.offered, self.compared = None, held.traded_assets()
        for asset, gap in self.said.items():
            if gap:
                self.adjust(asset, gap, f"accepted: {command.reason}", out)
                self.say(asset, 0, held.ledger.total(asset), out)
        if not out:
            return (self.answer(command, AnswerKind.DONE, "nothing to accept: no difference stands"),)
        out += margin.follow(held, now_ns)
        booked = sum(type(said) is LedgerAdjusted for said in out)
        text = f"booked: {booked} differences" if booked else "taken as the ledger's start"
        return (*out, *held.account_state(), self.answer(command, AnswerKind.DONE, text))

    def answer(self, command: OperatorCommand, kind: AnswerKind, text: str) -> CommandAnswered:
        return CommandAnswered(command.asker, command.control, command.instrument, kind, text)

    # -- recovery -------------------------------------------------------------------------------------------------

    def recovers(self) -> Mapping[type[Message], Callable[[Any, int], object]]:
        return {
            BalancesReported: self.recover_balances,
            BaselineTaken: self.recover_baseline,
            LedgerAdjusted: self.recover_adjusted,
        }

    def recover_balances(self, message: BalancesReported, now_ns: int) -> None:
        """The very first baseline has all assets: killed before its BaselineTaken, or written by an older program."""
        held = self.holdings
        held.succession.seed(message.trades)
        margin.note_prices(held, message)
        if message.quiet and not held.based and held.settings.baseline is BaselinePolicy.ACCEPT:
            venues = totals_of(message)
            paid = [fill.fee_asset for fill in held.deferred if fill.fee]
            held.take_baseline({asset: venues.get(asset, 0) for asset in (*held.ledger.entries, *venues, *paid)})

    def recover_baseline(self, message: BaselineTaken, now_ns: int) -> None:
        self.compared = dict.fromkeys(message.traded) or self.compared
        self.holdings.take_baseline(dict(zip(message.assets, message.units, strict=True)))
        margin.follow(self.holdings, now_ns)

    def recover_adjusted(self, message: LedgerAdjusted, now_ns: int) -> None:
        self.holdings.ledger.adjust(message.asset, message.units, by_dust=message.reason == BY_DUST)
        margin.follow(self.holdings, now_ns)

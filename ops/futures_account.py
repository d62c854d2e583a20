"""A futures account as a start finds it, and what moves its wallet while it is traded."""

import asyncio
from collections.abc import Callable, Mapping

from actors.portfolio.ledger import Wallet
from bus.messages import Message, WalletChanged
from bus.messages.feed import Garbage
from gateway.binance_spot.signing import Signer
from gateway.binance_usdm.account import (
    Paths,
    read_account_config,
    read_income,
    read_symbol_configs,
    refusal,
)
from gateway.doors.rest import RestDoor, RestFailed
from ops import events
from ops.assembly import ACCOUNT, VENUE
from ops.preflight import StartFailed
from ops.sections import VenueSection

ASK_S_MAX = 10.0
INCOME_INTERVAL_S = 300.0
"""Between questions that nothing gave reason for; an event of the wallet is one. Chosen: a weight of 30 each."""
AMISS_S = 5.0
"""Until the first question after one that failed, or since the ledger differs from the venue: an event may have been lost. Twice
as long after each that brought nothing, up to the interval. Chosen.
"""
OPENED_S = 0.2
"""From the private stream's name to a look: it is open then, and the first comparison is not over. Chosen."""
LAG_S = (0.0, 0.5, 2.0, 5.0, 15.0, 30.0, 60.0, 120.0)
"""After an event: pauses before asking until its row is there. Chosen; the documents promise nothing, and until then the wallet
differs from the ledger.
"""
OVERLAP_MS = 600_000
"""How far behind the last known row a start asks: rows may come out of order, and known ones are known. Chosen."""
LATE_MS, LATE_OPENED_MS = 300_000, 10_000
"""How far behind the last look a look asks, for rows that come late; and one that only fills the time until a stream tells. Chosen."""
PAGES_MAX = 20
KINDS = ("FUNDING_FEE", "TRANSFER")
"""What is asked for by itself where fills, with two rows each, fill a page ("Get Income History", incomeType)."""
WALK_PAGES = 5
"""Of all rows, for what is of no such kind, at a time while something differs: a weight of 150. Chosen."""
WALK_OVERLAP_MS = 60_000
MS_NS = 1_000_000


class FuturesAccount:
    """One account's questions beside its orders. venue_ms: the venue's clock now."""

    def __init__(self, rest: RestDoor, signed_by: Signer, section: VenueSection, venue_ms: Callable[[], int]) -> None:
        self._rest, self.venue_ms = rest, venue_ms
        self.paths = Paths(signed_by, section.recv_window_ms)
        self._headers = {"X-MBX-APIKEY": signed_by.api_key}

    async def check(self, symbols: tuple[str, ...]) -> None:
        """Whether it can be traded on. Raises StartFailed with the remedy."""
        config = read_account_config(await self._ask(self.paths.account_config(self.venue_ms()), "accountConfig"))
        if isinstance(config, Garbage):
            raise StartFailed(f"[venue] rest: {config.detail}")
        body = await self._ask(self.paths.symbol_configs(self.venue_ms()), "symbolConfig")
        found = read_symbol_configs(body, symbols)
        if isinstance(found, Garbage):
            raise StartFailed(f"[venue] rest: {found.detail}")
        problem = refusal(config, found)
        if problem:
            raise StartFailed(f"[venue] binance-usdm: {problem}")
        for one in found:
            events.info("leverage", instrument=one.symbol, leverage=one.leverage, margin=one.marginType)

    async def incomes(
        self, since_ms: int, numbers: Mapping[str, int], pages: int = PAGES_MAX, kind: str = ""
    ) -> tuple[list[WalletChanged], int, str]:
        """What moved the wallet from then on; from when on the next page is (-1: there is none); and what could not be read or
        asked. kind: only incomes of that kind.
        """
        changes: list[WalletChanged] = []
        problem = ""
        for _ in range(pages):
            try:
                body = await self._ask(self.paths.income(since_ms, self.venue_ms(), kind), "income")
            except StartFailed as error:
                return changes, since_ms, str(error)
            found, last_ms, unread = read_income(body, ACCOUNT, VENUE, numbers)
            changes += found
            problem = problem or unread
            if last_ms < 0:
                return changes, -1, problem
            since_ms = max(
                last_ms, since_ms + 1
            )  # a page of one millisecond: what is beyond it in that one is lost, and seen
        return changes, since_ms, problem

    async def _ask(self, path: str, what: str) -> bytes:
        try:
            status, body = await self._rest.get(VENUE, lambda: path, ASK_S_MAX, self._headers, again=False)
        except RestFailed as error:
            raise StartFailed(f"[venue] rest: {what}: {error}; check the network, start again") from error
        if status != 200:
            raise StartFailed(
                f"the venue refused {what}: status {status}, {body[:200]!r}; check the API key, its permissions and its secret, "
                "and this machine's clock"
            )
        return body


class WalletWatch:
    """Tells the portfolio of facts beside fills: at the start, when the private stream hints at one, and now and then.

    They come from the history of incomes alone, where each has an id: the stream's word has none, and may be missed.
    wallet: what the portfolio knows. differs: whether the last comparison found a gap.
    """

    def __init__(
        self,
        account: FuturesAccount,
        wallet: Callable[[], Wallet],
        numbers: Callable[[], Mapping[str, int]],
        post: Callable[[Message], None],
        differs: Callable[[], bool],
    ) -> None:
        self._account, self._wallet, self._numbers, self._post = account, wallet, numbers, post
        self._differs = differs
        self._hinted = asyncio.Event()
        self._told: dict[tuple[str, int], None] = {}
        self._unread = self._caused = False
        self._read_ms = self._walked_ms = 0
        self.changes = self.failures = 0

    def hint(self, cause: str) -> None:
        self._caused = True
        self._hinted.set()

    def stream_opens(self) -> None:
        """What moved the wallet since the last look, and before the stream tells of it, has nobody heard."""
        self._hinted.set()

    async def run(self) -> None:
        """Until canceled."""
        idle_s, wait_s = 0.0, AMISS_S
        while True:
            try:
                async with asyncio.timeout(AMISS_S):
                    await self._hinted.wait()
            except TimeoutError:
                idle_s += AMISS_S
                amiss = self._unread or self._differs()
                wait_s = wait_s if amiss else AMISS_S
                if idle_s >= (wait_s if amiss else INCOME_INTERVAL_S):
                    idle_s = 0.0
                    wait_s = AMISS_S if await self.look() else min(2 * wait_s, INCOME_INTERVAL_S)
                continue
            self._hinted.clear()
            if not self._caused:
                await asyncio.sleep(OPENED_S)
                await self.look(late_ms=LATE_OPENED_MS)
                continue
            self._caused = False
            for pause_s in LAG_S:
                await asyncio.sleep(pause_s)
                if await self.look():
                    break

    async def look(self, known_ns: int = 0, late_ms: int = LATE_MS) -> int:
        """Ask once. known_ns: of a predecessor, who told us up to when he knew. late_ms: see LATE_MS. Returns how many facts were
        new.
        """
        wallet = self._wallet()
        floor_ms, last_ms = wallet.floor_ns // MS_NS, wallet.last_ns // MS_NS
        since_ms = known_ns // MS_NS + 1 if known_ns else max(floor_ms + 1, last_ms - OVERLAP_MS)
        if not (known_ns or wallet.floor_ns):
            return 0  # there is no ledger yet: its start will have everything in it
        asked_ms = self._account.venue_ms()
        changes, problem = await self._read(max(since_ms, self._read_ms - late_ms))
        self._unread = bool(problem)
        if not problem:
            self._read_ms = asked_ms
        else:
            self.failures += 1
            events.warning("incomes_not_read", reason=problem)
        fresh = [one for one in changes if self._is_new(one, wallet)]
        for change in fresh:
            self._post(change)
        self.changes += len(fresh)
        return len(fresh)

    async def _read(self, since_ms: int) -> tuple[list[WalletChanged], str]:
        """What moved the wallet from then on, and what could not be read or asked.

        Where fills fill the first page, funding and transfers are asked for by their kind; and while something differs, all rows are
        walked through as well, from where the first such page or the last walk ended.
        """
        account, numbers = self._account, self._numbers()
        changes, next_ms, problem = await account.incomes(since_ms, numbers, 1)
        if next_ms < 0 or problem:
            return changes, problem
        self._walked_ms = self._walked_ms or next_ms
        for kind in KINDS:
            found, left_ms, trouble = await account.incomes(since_ms, numbers, kind=kind)
            changes += found
            problem = problem or trouble or (f"more than {PAGES_MAX} pages of {kind}" if left_ms >= 0 else "")
        if self._differs():
            asked_ms = account.venue_ms()
            found, left_ms, trouble = await account.incomes(self._walked_ms, numbers, WALK_PAGES)
            changes += found
            problem = problem or trouble
            self._walked_ms = left_ms if left_ms >= 0 else asked_ms - WALK_OVERLAP_MS
        return changes, problem

    def _is_new(self, change: WalletChanged, wallet: Wallet) -> bool:
        key = (change.cause, change.entry)
        if key in self._told or key in wallet.recent:
            return False
        self._told[key] = None
        if len(self._told) > len(wallet.recent) + 1_000:  # what was taken is in the portfolio's own list
            del self._told[next(iter(self._told))]
        return True

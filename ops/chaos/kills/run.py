"""A run of kills, from the engine's first start to the result."""

import asyncio
import contextlib
import itertools
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import aiohttp

from bus.log import LogError
from ops.chaos.judge import percentile
from ops.chaos.kills.control import Control
from ops.chaos.kills.engine import ACCOUNT, Engine, limits, units
from ops.chaos.kills.face import FACES
from ops.chaos.kills.plan import ENDS, POINTS, SURVIVED, Card, Way, deck, draw, make_room
from ops.chaos.kills.result import FILLS_A_KILL, ORDERS_A_KILL, figures, shortcomings
from ops.chaos.kills.theirs import order_of, venue_orders
from ops.chaos.kills.verdict import End, Verdict, judge
from ops.chaos.kills.ways import WAYS, prepare, wants_burst
from ops.chaos.stage import NothingHappened, Settings, Stage
from ops.chaos.venue_log import EvidenceLost

ABOVE = 1.05
"""So much more than that is traded before each kill, for what is not counted in the end; chosen."""
LIFE_ORDERS_MIN = 4
MOMENT_S_MAX = 0.3
LAST_STOPS_MAX = 3
UNRESOLVED_S = 10.0
"""What was lost on the wire is known not to exist when the venue's own bound for processing is over (actors/orders)."""
LAST_S_MAX = 60.0
"""The last process makes up for those that died before they had traded; chosen."""
TRADE_S_MAX = 10.0
"""How long a process may take to its share of orders and fills before it is killed all the same; chosen."""
POLL_S = 0.05
SWEEP_EVERY_S, PAID_EVERY = 0.7, 20
FAULTED_S_MAX = 300.0
"""How long an order of a process that comes up is waited for with faults, which may ban it; without them see Face. Chosen."""
BACK_OFF_S, BACK_OFF_S_MAX = 0.1, 15.0
"""Between starts that fail; all of them together outlast a ban of two minutes. Chosen."""
OWN_ENDS_MAX, FAULTED_ENDS_MAX = 3, 20
"""Processes in a row that end by themselves before an order: a venue that misbehaves may fail a start; chosen."""
KILLS_BEYOND = 1.5
"""A point that nothing hit is tried again, but not for ever: up to so many times as many kills as were asked for; chosen."""
TTL_MS = 2_000


@dataclass(frozen=True)
class KillSettings:
    """faults: tables of a faults file. venue: the face, by its name in FACES. told: (kills so far, of, a few words), for a progress bar."""

    kills: int
    seed: int
    folder: Path
    faults: dict[str, Any]
    told: Callable[[int, int, str], None] = lambda done, of, words: None
    venue: str = "spot"


async def play(settings: KillSettings) -> dict[str, Any]:
    """The JSON object of `touchline chaos --kills`; `problems` is empty when all of it held. Raises ChaosFailed, DemoFailed."""
    stage_settings = Settings(settings.kills, "local", TTL_MS, settings.seed, unprotected=False, folder=settings.folder)
    face = FACES[settings.venue]
    async with Stage(stage_settings, 1, face.options) as stage, Control(stage.venue["rest"], face.name) as control:
        run = KillRun(settings, stage, control, await Engine.enter(stage, face))
        verdict: Verdict | None = None
        try:
            verdict = await run.whole()
        except (NothingHappened, EvidenceLost) as finding:
            run.problems.append(str(finding))
        except LogError as error:
            run.problems.append(f"the order journal cannot be read: {error}")
        except (aiohttp.ClientError, TimeoutError) as error:
            run.problems.append(f"the venue cannot be asked: {type(error).__name__}: {error}")
        return run.result(verdict)


class KillRun:
    """done: kills so far. own_ends: processes in a row that ended by themselves before they could be killed. ends: it is being
    compared. problems: what must not be, as it was found on the way.
    """

    def __init__(self, settings: KillSettings, stage: Stage, control: Control, engine: Engine) -> None:
        self.settings, self.stage, self.control, self.engine = settings, stage, control, engine
        self.cards = deck(settings.kills, Random(settings.seed))
        self.done = 0
        self.own_ends = 0
        self.ends = False
        self.began_s = time.monotonic()
        self.problems: list[str] = []
        self._wait_s = FAULTED_S_MAX if settings.faults else engine.face.patience_s

    async def whole(self) -> Verdict:
        """All kills, and the comparison. Raises NothingHappened, EvidenceLost, LogError, and what the venue's door raises."""
        await self._first_order()
        crowd = asyncio.create_task(self._crowd())
        try:
            await self._play()
            return await self._compare()
        finally:
            crowd.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await crowd

    async def _play(self) -> None:
        if self.settings.faults:
            await self.control.set_faults(self.settings.faults)
            self.engine.faulted = True
        while self.cards or self._top_up():
            await self._next(draw(self.cards, alive=self.engine.instance.is_running))
            self.settings.told(self.done, self.settings.kills, self._words())

    def _top_up(self) -> bool:
        """One more kill where too many missed: of the venue's, and in recovery, there must be their shares of all."""
        engine = self.engine
        if self.done >= KILLS_BEYOND * self.settings.kills:
            return False
        if 2 * sum(engine.hits[way] for way in POINTS) < self.done:
            self.cards.append(Card(Way.REQUEST, starting=False, moment=0.0, after=0, sweep=False))
        elif 3 * (engine.in_recovery + engine.in_checkpoint) < self.done:
            self.cards.append(Card(Way.REQUEST, starting=True, moment=0.0, after=0, sweep=False))
        return bool(self.cards)

    # ---- one kill

    async def _next(self, card: Card) -> None:
        engine = self.engine
        if not card.starting:
            await self._trade(card)
        elif not engine.instance.is_running and await prepare(engine, self.control, card):
            await engine.start()
        else:  # it must be down first, and leave orders behind
            if self._is_due_again(card):
                self.cards.insert(0, card)
            card = Card(Way.MOMENT, starting=False, moment=card.moment, after=0, sweep=False)
            await self._trade(card)
        await self._hit(card)

    async def _hit(self, card: Card) -> None:
        engine = self.engine
        try:
            way = await WAYS[card.way](engine, self.control, card, f"kill-{self.done}-{engine.starts}")
        except ProcessLookupError:
            await engine.instance.gone()
            way = Way.MOMENT
        died_ns = time.time_ns()
        await self.stage.log.read()
        if way not in (*SURVIVED, *ENDS) and engine.instance.code != -signal.SIGKILL:
            await self._died_before(card)
            return
        self.own_ends, self.done = 0, self.done + 1
        if way not in SURVIVED:
            if engine.buried(died_ns):
                engine.in_recovery += 1
                way = Way.RECOVERY if way is Way.MOMENT else way
            elif way is Way.RECOVERY:
                way = Way.MOMENT  # it had come up sooner
        engine.in_checkpoint += way is Way.CHECKPOINT
        engine.hits[way] += 1
        if way is not card.way and card.way in (*POINTS, Way.CHECKPOINT) and self._is_due_again(card):
            self.cards.append(card)
        if card.sweep and not engine.instance.is_running and not self._leaves_alone():
            await engine.sweep(self.control)

    async def _died_before(self, card: Card) -> None:
        """It ended by itself before it was hit: no kill. Raises NothingHappened when that goes on."""
        self.engine.note_own_end()
        self.own_ends += 1
        self._bound(self.own_ends)
        await self._back_off(self.own_ends)
        self.cards.insert(0, card)

    def _bound(self, ends: int) -> None:
        if ends >= (FAULTED_ENDS_MAX if self.engine.faulted else OWN_ENDS_MAX):
            raise NothingHappened(f"the engine ended by itself {ends} times: {self.engine.own_ends[-1]}")

    def _is_due_again(self, card: Card) -> bool:
        """Whether a kill that could not be, or missed, finds another place: if need be beyond what was asked for, within bounds."""
        if make_room(self.cards):
            return True
        return not self.engine.hits[card.way] and self.done < KILLS_BEYOND * self.settings.kills

    def _leaves_alone(self) -> bool:
        """What the dead one left is wanted by the next card."""
        return bool(self.cards) and wants_burst(self.engine, self.cards[0])

    async def _trade(self, card: Card) -> None:
        """Until the process has had its share of orders and fills, and a moment longer. Raises NothingHappened."""
        if not self.engine.instance.is_running:
            await self.engine.start()
        await self._first_order()
        await self._share((self.done + 1) * ABOVE, TRADE_S_MAX)
        await asyncio.sleep(card.moment * MOMENT_S_MAX)
        if not self.engine.instance.is_running:
            await self._again()

    async def _share(self, kills: float, seconds: float) -> None:
        """Trade until there were so many kills' worth of orders and fills, or the time is up; but not without any new order."""
        engine, loop = self.engine, asyncio.get_running_loop()
        began_s, known = loop.time(), len(engine.accepted)
        while True:
            await self.stage.log.read()
            fresh, took_s = len(engine.accepted) - known, loop.time() - began_s
            enough = self._orders() >= kills * ORDERS_A_KILL and self._fills() >= kills * FILLS_A_KILL
            if (fresh >= LIFE_ORDERS_MIN and enough) or (fresh > 0 and took_s > seconds):
                return
            if not fresh and took_s > self._wait_s:
                raise NothingHappened(
                    f"no order in {took_s:.0f} s of a process that ran: {engine.instance.last_words()}"
                )
            if not engine.instance.is_running:
                await self._again()
                known = 0
            await asyncio.sleep(POLL_S)

    def _orders(self) -> int:
        return sum(order.accepted for order in self.stage.log.orders)

    def _fills(self) -> int:
        return len(self.stage.log.trades) - self.engine.burst_fills

    # ---- waiting

    async def _first_order(self) -> None:
        """Wait until the process has an order accepted; one that ends by itself is started again, as a supervisor would."""
        engine, loop = self.engine, asyncio.get_running_loop()
        due, ends = loop.time() + self._wait_s, 0
        while True:
            await self.stage.log.read()
            if engine.accepted:
                engine.note_recovery(await self._clock_ahead_ns())
                return
            if not engine.instance.is_running:
                ends += 1
                engine.note_own_end()
                self._bound(ends)
                await self._back_off(ends)
                await engine.start()
            if loop.time() > due:
                raise NothingHappened(
                    f"waited {self._wait_s:.0f} s in vain for an order: {engine.instance.last_words()}"
                )
            await asyncio.sleep(POLL_S)

    async def _back_off(self, ends: int) -> None:
        """As a supervisor would, where the venue may want less of us."""
        if self.engine.faulted:
            await asyncio.sleep(min(BACK_OFF_S * 2**ends, BACK_OFF_S_MAX))

    async def _again(self) -> None:
        """It ended by itself while it traded."""
        self.engine.note_own_end()
        await self.engine.start()
        await self._first_order()

    async def _clock_ahead_ns(self) -> int:
        """A fault may have moved the venue's clock."""
        now_ns: int = (await self.control.get("state"))["now_ns"]
        return now_ns - time.time_ns()

    async def _crowd(self) -> None:
        """Somebody takes what rests near the touch, now and then, whoever is alive; and money comes in that is no trade's."""
        for turn in itertools.count():
            await asyncio.sleep(SWEEP_EVERY_S)
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):  # whoever judges will say that it is gone
                await self.engine.sweep(self.control)
                if turn % PAID_EVERY == 0 and not self.ends:
                    await self.engine.pay(self.control)

    # ---- the end

    async def _compare(self) -> Verdict:
        """No faults any more: one more process comes up and trades, stops cleanly, and leaves what is compared."""
        engine, self.ends = self.engine, True
        await self.control.clear_faults()
        engine.faulted = False
        for _ in range(LAST_STOPS_MAX):
            if not engine.instance.is_running:
                await engine.start()
            await self._first_order()
            await self._share(self.done * ABOVE, LAST_S_MAX)
            if await engine.stop():
                break
            await asyncio.sleep(UNRESOLVED_S)
        else:
            self.problems.append(engine.last_stop())
        engine.journal.read()
        await self.stage.log.read()
        report = engine.report
        ledger = await self.control.get("ledger")
        end = None
        if report.get("ledger"):
            end = End(
                {asset: units(text) for asset, text in report["ledger"].items()},
                {symbol: units(text) for symbol, text in report["positions"].items()},
                engine.face.holds(ledger, ACCOUNT),
                engine.face.position_rows and engine.face.position_rows(ledger, ACCOUNT),
            )
        orders = venue_orders(await self.control.orders(ACCOUNT), self.stage.log.trades, ACCOUNT)
        await self.control.read_faults()
        denied = {order_of(client_order_id) for client_order_id in self.control.denied}
        requests = [order for order in self.stage.log.orders if order.account == ACCOUNT]
        return judge(orders, engine.journal, limits(engine.face, self.settings.faults), end, denied, requests)

    def _words(self) -> str:
        engine = self.engine
        middle = percentile(engine.recovered_ms, 0.5)
        return f"{self._orders()} orders, {len(self.stage.log.trades)} fills, recovery p50 {middle or 0:.0f} ms"

    def result(self, verdict: Verdict | None) -> dict[str, Any]:
        engine = self.engine
        found = figures(engine, verdict, self.done, self.settings.seed, time.monotonic() - self.began_s)
        named = list(verdict.found if verdict else ())
        if engine.own_ends and not self.settings.faults:
            named.append(f"the engine ended by itself {len(engine.own_ends)} times: {engine.own_ends[0]}")
        return {**found, "problems": [*self.problems, *engine.problems, *shortcomings(found), *named]}

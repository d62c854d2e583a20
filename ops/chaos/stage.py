"""The stage of one scenario: venue, store, engines; what to wait for; and the end, when the venue is asked what is left."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Literal, Self

import aiohttp

from ops.chaos.books import Books
from ops.chaos.cast import CONFIG, Instance, Role, Store
from ops.chaos.judge import Fault
from ops.chaos.venue_log import PATIENCE_S, VenueLog
from ops.demo import VenueProcess, VenueWord
from ops.etcd import EtcdFailed, EtcdMissing, EtcdNode

POLL_S = 0.05
START_S_MAX = 30.0
"""For two engines to be trading, on a machine that does other work; chosen."""


class ChaosFailed(Exception):
    """The run could not be made at all. The text says what to do."""


class NothingHappened(Exception):
    """What had to come did not come, so the rest of the scenario makes no sense: a finding, not a failure of the run."""


@dataclass(frozen=True)
class Settings:
    """One scenario's run. ttl_ms: of a silent leader; folder: where everything is written; told: progress, for a person."""

    rounds: int
    backend: Literal["etcd", "local"]
    ttl_ms: int
    seed: int
    unprotected: bool
    folder: Path
    told: Callable[[str], None] = field(default=lambda text: None)


class Stage:
    """`async with Stage(settings, accounts=n) as stage`: venue and store run; whatever was started ends with it."""

    def __init__(self, settings: Settings, accounts: int, venue_options: tuple[str, ...] = ()) -> None:
        """venue_options: more options of `touchline venue`."""
        self.settings, self._accounts, self._venue_options = settings, accounts, venue_options
        self.random = Random(settings.seed)
        self.instances: list[Instance] = []
        self.faults: list[Fault] = []
        self.problems: list[str] = []
        self.reports: dict[str, dict[str, Any]] = {}
        self.increasing_in_cooldown: int | None = None
        self.books: Books | None = None
        self.venue: dict[str, str]
        self.log: VenueLog
        self.store: Store
        self._ends = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Raises ChaosFailed, DemoFailed."""
        settings = self.settings
        try:
            endpoint = await self._open_store(settings)
            self.store = Store(settings.backend, settings.ttl_ms, settings.folder / "coordination.sqlite", endpoint)
            process = await VenueProcess.start(
                settings.seed, settings.folder / "venue", settings.folder / "venue.log",
                accounts=self._accounts, control=True, options=self._venue_options,
            )  # fmt: skip
            self._ends.push_async_callback(process.stop)
        except BaseException:
            await self._ends.aclose()
            raise
        self.venue, self.log = process.told, VenueLog(process.told["rest"])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._ends.aclose()

    async def _open_store(self, settings: Settings) -> str:
        """etcd's endpoint; of no meaning for the local backend, which is a file."""
        if settings.backend != "etcd":
            return "127.0.0.1:2379"
        try:
            node = EtcdNode(settings.folder / "etcd")
            self._ends.push_async_callback(asyncio.to_thread, node.stop)
            await asyncio.to_thread(node.start)
        except (EtcdMissing, EtcdFailed) as error:
            raise ChaosFailed(f"{error}; or run with --backend local") from error
        return node.endpoint

    async def enter(self, role: Role, config: str = CONFIG) -> Instance:
        """A new engine, started."""
        instance = Instance(role, self.store, self.venue, self.settings.folder, config)
        self.instances.append(instance)
        self._ends.push_async_callback(instance.drop)
        await instance.start()
        return instance

    def credentials(self, number: int) -> tuple[str, str, str]:
        """The venue's name of its n-th account, from 1, API key and secret."""
        suffix = "" if number == 1 else f"_{number}"
        name = "client" if number == 1 else f"client-{number}"
        return name, self.venue[f"api_key{suffix}"], self.venue[f"api_secret{suffix}"]

    async def control(self, verb: str, **params: str) -> None:
        """The venue's stage hand: `/control/VERB`."""
        await self._http("POST", f"/control/{verb}", params)

    async def ask(self, path: str, **params: str) -> Any:
        """A question to the venue that needs no key."""
        return await self._http("GET", path, params)

    async def _http(self, method: str, path: str, params: dict[str, str]) -> Any:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_S)) as session,
            session.request(method, self.venue["rest"] + path, params=params) as response,
        ):
            response.raise_for_status()
            return await response.json()

    # ---- waiting

    async def until(self, held: Callable[[], bool], seconds: float, what: str) -> None:
        """Read the venue's log until it holds. Raises NothingHappened, when the time is up or an engine ended."""
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        while True:
            await self.log.read()
            if held():
                return
            for instance in self.instances:
                if instance.ended_by_itself:
                    raise NothingHappened(f"waiting for {what}: {instance.name} ended: {instance.last_words()}")
            if loop.time() > due:
                raise NothingHappened(f"waited {seconds:.0f} s in vain for {what}")
            await asyncio.sleep(POLL_S)

    async def leader(self, account: str) -> Instance:
        """The engine whose epoch the last accepted order bears."""

        def found() -> Instance | None:
            epoch = self.log.epoch(account)
            return next((instance for instance in self.instances if epoch in instance.epochs()), None)

        await self.until(lambda: found() is not None, START_S_MAX, "an engine that trades")
        instance = found()
        assert instance is not None
        return instance

    async def more_orders(self, account: str, count: int, seconds: float, what: str, above_epoch: int = 0) -> None:
        """Wait until that many more orders of the account were accepted."""
        known = len(self.log.accepted(account, above_epoch))
        await self.until(lambda: len(self.log.accepted(account, above_epoch)) >= known + count, seconds, what)

    # ---- the end

    async def curtain(self, leaders: list[Instance]) -> bool | None:
        """Stop everybody cleanly, who stands by first. Whether the leaders' ledgers are the venue's; None: no report."""
        for instance in sorted(self.instances, key=leaders.__contains__):
            report = await instance.stop()
            self.reports[instance.name] = report
            if report["exit_code"] != 0:
                self.problems.append(
                    f"{instance.name} ended with exit code {report['exit_code']}: {instance.last_words()}"
                )
        await self.log.read()
        equal = [await self._ledger_equal(instance) for instance in leaders]
        return None if None in equal or not equal else all(equal)

    async def _ledger_equal(self, instance: Instance) -> bool | None:
        ledger = self.reports[instance.name].get("ledger")
        if not ledger:
            return None
        role = instance.role
        word = VenueWord({"rest": self.venue["rest"], "api_key": role.api_key, "api_secret": role.api_secret})
        return await word.working_orders() == 0 and await word.ledger_equals(ledger)

"""What an engine on USD-M futures has beside one on Spot: its account's modes, its wallet's facts, the dead man's switch.

On any other venue all of it does nothing.
"""

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from actors.portfolio import Portfolio
from actors.portfolio.holdings import Holdings
from actors.portfolio.ledger import Wallet
from gateway.binance_spot.signing import Signer
from gateway.binance_usdm.limits import WEIGHTS
from gateway.doors.dead_man import DeadMan
from ops import events
from ops.assembly import VENUE
from ops.futures import BinanceUsdmOrders
from ops.futures_account import FuturesAccount, WalletWatch

if TYPE_CHECKING:
    from ops.engine import Engine

COUNTDOWN = "/fapi/v1/countdownCancelAll"
REMEDY = "the venue has canceled our orders there; look at the network, at this machine, and at venue_rate_limit"


class Futures:
    def __init__(self, engine: "Engine", signed_by: Signer) -> None:
        self._engine, self._signer = engine, signed_by
        self.here = engine.config.venue.kind == "binance-usdm"
        self._account = FuturesAccount(engine.rest, signed_by, engine.config.venue, self._venue_ms)
        self.wallet = WalletWatch(
            self._account,
            self._known,
            self._numbers,
            lambda change: engine.pump.post(change),  # noqa: PLW0108 - the pump comes later
            lambda: bool(engine.supervisor.differences),
        )
        self.dead_man: DeadMan | None = None

    async def check(self) -> None:
        """Before anything is built. Raises StartFailed."""
        if self.here:
            await self._account.check(self._engine.sources[VENUE].symbols)

    async def begin(self, known_ns: int) -> None:
        """Once the host has its first inputs, before the first look at the account. known_ns: as `WalletWatch.look`."""
        engine = self._engine
        if not self.here:
            return
        if isinstance(engine.order_venue, BinanceUsdmOrders):
            engine.order_venue.on_wallet = self.wallet.hint
            engine.order_venue.on_stream = self.wallet.stream_opens
        if engine.config.venue.dead_man_ms:
            self.dead_man = self._switch()
        await self.wallet.look(known_ns)

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """What runs as long as the engine."""
        if not self.here:
            return []
        armed = [] if self.dead_man is None else [self.dead_man.run(self._symbols)]
        return [self.wallet.run(), *armed]

    async def disarm(self) -> None:
        """Nothing of ours works any more, or shall go on working without us. The last call before a successor may arm his."""
        if self.dead_man is not None:
            await self.dead_man.disarm()

    def _switch(self) -> DeadMan:
        engine = self._engine
        paths, headers = self._account.paths, {"X-MBX-APIKEY": self._signer.api_key}
        door = DeadMan(
            engine.rest.http(VENUE),
            lambda symbol, milliseconds: paths.countdown(symbol, milliseconds, self._venue_ms()),
            lambda: headers,
            engine.config.venue.dead_man_ms,
            WEIGHTS[COUNTDOWN],
            engine.clock.now_ns,
        )
        door.alive = lambda: engine.standby.pulse.alive() and engine.standby.left_ns() > 0 and not engine.pump.stopped
        door.on_trouble = lambda detail: events.warning("dead_man", detail=detail)
        door.on_fired = lambda symbol: events.critical("dead_man_fired", instrument=symbol, remedy=REMEDY)
        return door

    def _holdings(self) -> Holdings:
        return next(actor.holdings for actor in self._engine.actors if isinstance(actor, Portfolio))

    def _known(self) -> Wallet:
        return self._holdings().wallet

    def _numbers(self) -> dict[str, int]:
        """Of all contracts that we trade, or did: fills of others are nobody's of ours, and only their incomes tell of them."""
        rows = (*self._holdings().instruments.values(), *self._engine.traded.values())
        return {row.venue_symbol: row.instrument for row in rows}

    def _symbols(self) -> list[str]:
        return [row.venue_symbol for row in self._engine.traded.values()]

    def _venue_ms(self) -> int:
        return self._engine.venue_time.milliseconds(self._engine.clock.now_ns())

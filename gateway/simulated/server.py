"""The simulated venue put together: its faces, a port for each, over one clock, one set of keys, faults and evidence; control on each."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from .connection import INBOUND_BYTES_MAX, Clock, Connection
from .control import ControlDoor
from .core.decimals import SCALE
from .core.ledger import Ledger
from .core.matching import MatchingEngine
from .core.orders import BACKGROUND, FEES, AccountId
from .core.settlement import SpotSettlement
from .crowd.parameters import CancelRule
from .crowd.profiles import QUOTE_ASSETS, SYMBOL_MAX, SymbolProfile, profile
from .crowd.regimes import REGIME_NAMES, regime_named
from .evidence import ROWS_MAX, Evidence
from .face import Face
from .faults.clock import VenueClock
from .faults.door import FaultDoor
from .faults.engine import FaultEngine
from .faults.spec import SpecError, parse_toml
from .market import GeneratedMarket, Market
from .payload import NS_PER_MS
from .recorded.capture import CaptureError
from .recorded.replay import ReplayMarket
from .settings import DEFAULT_BALANCE, Credentials, Endpoints, SettingsError, VenueSettings
from .signing import Credential, KeyRing, load_credentials, parse_public_key, parse_rsa_public_key
from .spot.face import Serve, SpotFace
from .spot.publisher import BookPublisher
from .spot.user_streams import UserStreams
from .stagehand import StageHand
from .truth import Truth
from .usdm.face import PerpetualFace
from .usdm.opening import open_perpetuals

HOST = "127.0.0.1"
PING_PERIOD_S = 20.0  # web-socket-streams.md: the server pings every 20 seconds
CLOSE_GOING_AWAY = 1001
STOP_TIMEOUT_S = 1.0


def _is_of_the_venue(record: logging.LogRecord) -> bool:
    """What cannot be parsed as HTTP is answered 400; it is no failure of ours, and a client may send it all day."""
    return record.exc_info is None or not isinstance(record.exc_info[1], HttpProcessingError)


_LOG = logging.getLogger(__name__)
_LOG.addFilter(_is_of_the_venue)


class SimulatedVenue:
    """Start it, trade on it, stop it. One per instance; `start` may be called once."""

    def __init__(self, settings: VenueSettings, clock: Clock = time.time_ns) -> None:
        self._settings = settings
        self._clock = VenueClock(clock, settings.clock_offset_ms * NS_PER_MS)
        self._keys = KeyRing()
        self._connections: dict[Connection, None] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._runners: list[web.AppRunner] = []
        self.faults = FaultEngine(self._clock, _later, settings.seed)
        self._market: Market
        self._broken: asyncio.Future[None] | None = None

    async def start(self) -> Endpoints:
        """Open the venue. Raises SettingsError for a setting that cannot be used, OSError for a port in use."""
        settings = self._settings
        _check(settings)
        accounts = tuple(AccountId(name) for name in settings.accounts)
        credentials = load_credentials(settings.state, settings.accounts)
        for index, entry in enumerate(credentials):
            ed25519 = None if index else parse_public_key(settings.ed25519_public_key)
            rsa = None if index else parse_rsa_public_key(settings.rsa_public_key)
            self._keys.add(entry.api_key, Credential(AccountId(entry.account), entry.api_secret.encode(), ed25519, rsa))
        # Only the control door can be asked for it.
        self._evidence = Evidence(self._rows)
        faces = self._open_faces(accounts)
        for face in faces:
            self.faults.open(face.faulted())
        if settings.faults is not None:
            _set_faults(self.faults, settings.faults)
        ports = await self._listen(faces)
        self._broken = asyncio.get_running_loop().create_future()
        works = [work for face in faces for work in (face.market.run(), face.run())]
        self._tasks = [asyncio.create_task(work) for work in (*works, self._ping_all())]
        for task in self._tasks:
            task.add_done_callback(self._note_end)
        return _endpoints(ports, credentials)

    async def wait_broken(self) -> None:
        """Wait for what should not happen: the background died of an exception. Raises it."""
        assert self._broken is not None, "start comes first"
        await self._broken

    async def wait_ended(self) -> None:
        """Wait for the end of the replay. A crowd has none."""
        await self._market.ended.wait()

    def _note_end(self, task: asyncio.Task[None]) -> None:
        """A replay may end in peace; an exception is handed to `wait_broken`."""
        error = None if task.cancelled() else task.exception()
        if error is not None and self._broken is not None and not self._broken.done():
            self._broken.set_exception(error)

    async def stop(self) -> None:
        """Close every connection and the port. Raises what stopped the background early, if something did."""
        self.faults.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*map(_hang_up, self._connections))
        for runner in self._runners:
            await runner.cleanup()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._broken is not None:
            self._broken.cancel()

    @property
    def _rows(self) -> int:
        """How many rows of each log are kept."""
        return ROWS_MAX if self._settings.control else 0

    def _open_faces(self, accounts: tuple[AccountId, ...]) -> list[Face]:
        faces: list[Face] = [self._open_spot(accounts)]
        if self._settings.futures_port is not None:
            market = open_perpetuals(self._settings, accounts, self._clock, self._rows)
            shared = self._keys, self._evidence, self.faults, self._clock, self._attend
            faces.append(PerpetualFace(market, accounts, *shared))
        return faces

    def _open_spot(self, accounts: tuple[AccountId, ...]) -> SpotFace:
        engine = MatchingEngine(SpotSettlement(Ledger(self._rows)))
        users = UserStreams(engine)
        self._market = self._open_market(engine, users, accounts)
        shared = self._keys, self._evidence, self.faults, self._clock, self._attend
        return SpotFace(self._market, users, accounts, *shared, self._settings.limits)

    def _open_market(self, engine: MatchingEngine, users: UserStreams, accounts: tuple[AccountId, ...]) -> Market:
        market = self._background(engine, users)
        assets = dict.fromkeys(a for rules in market.rules() for a in (rules.base, rules.quote))
        for account in accounts:
            engine.open_account(account, self._settings.fees)
            for asset in assets:
                amount = self._settings.balances.get(asset, DEFAULT_BALANCE)
                engine.ledger.deposit(account, asset, amount * SCALE)
        return market

    def _background(self, engine: MatchingEngine, users: UserStreams) -> Market:
        path = self._settings.replay
        if path is None:
            return GeneratedMarket(
                engine,
                self._profiles(),
                self._settings.seed,
                self._clock,
                users,
                BookPublisher,
                speed=self._settings.speed,
                regime=regime_named(self._settings.regime),
            )
        try:
            return ReplayMarket(engine, path, self._settings.speed, self._clock, users)
        except CaptureError as error:
            raise SettingsError(f"--replay {path}: {error}; name a capture of binance-spot or binance-us") from error

    def _profiles(self) -> list[SymbolProfile]:
        profiles = [profile(symbol) for symbol in self._settings.symbols]
        known = [p for p in profiles if p is not None]
        if not known or len(known) < len(profiles):
            raise SettingsError(
                f"--symbols {','.join(self._settings.symbols)}: give names such as BTCUSDT, letters and digits only, "
                f"{SYMBOL_MAX} at most, ending in a quote asset: {', '.join(QUOTE_ASSETS)}"
            )
        return [p.with_cancel_rule(CancelRule(self._settings.cancel_rule)) for p in known]

    async def _listen(self, faces: list[Face]) -> list[int]:
        """Open each face's port, and return them. Raises OSError, and then none is open."""
        wanted = {"spot": self._settings.port, "usdm": self._settings.futures_port or 0}
        control = self._control(faces).routes() if self._settings.control else []
        try:
            return [await self._open_port([*face.routes(), *control], wanted[face.name]) for face in faces]
        except OSError:
            for runner in self._runners:
                await runner.cleanup()
            raise

    async def _open_port(self, routes: list[web.RouteDef], port: int) -> int:
        app = web.Application(client_max_size=INBOUND_BYTES_MAX)
        app.add_routes(routes)
        runner = web.AppRunner(app, access_log=None, logger=_LOG, shutdown_timeout=STOP_TIMEOUT_S)
        self._runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, HOST, port).start()
        address: tuple[str, int] = runner.addresses[0]
        return address[1]

    def _control(self, opened: list[Face]) -> ControlDoor:
        faces = {face.name: face.market for face in opened}
        truth = Truth(faces, self._evidence, self._connections, self._clock)
        hand = StageHand(faces, self.faults, self._clock)
        return ControlDoor([*truth.commands(), *hand.commands(), *FaultDoor(self.faults).commands()])

    async def _attend(self, request: web.Request, serve: Serve) -> web.StreamResponse:
        connection = Connection(request, self._clock, lambda: self.faults.armed)
        await connection.open()
        self._connections[connection] = None
        try:
            async with asyncio.timeout(self._settings.connection_life_s) as life:
                await serve(connection)
        except TimeoutError:
            if not life.expired():
                raise
            await connection.close(CLOSE_GOING_AWAY)
        finally:
            del self._connections[connection]
            await connection.close()
        return connection.response

    async def _ping_all(self) -> None:
        while True:
            await asyncio.sleep(PING_PERIOD_S)
            for connection in list(self._connections):
                connection.ping()


async def _hang_up(connection: Connection) -> None:
    """Say goodbye; one that is silent is cut off."""
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await connection.close(CLOSE_GOING_AWAY)
    except TimeoutError:
        connection.abort()


def _endpoints(ports: list[int], credentials: tuple[Credentials, ...]) -> Endpoints:
    """`ports`: of spot, and of futures where there is that face."""
    spot, *others = ports
    futures = {
        name: url
        for port in others
        for name, url in (
            ("futures_rest", f"http://{HOST}:{port}"),
            ("futures_streams", f"ws://{HOST}:{port}"),
            ("futures_websocket_api", f"ws://{HOST}:{port}/ws-fapi/v1"),
        )
    }
    return Endpoints(
        rest=f"http://{HOST}:{spot}",
        streams=f"ws://{HOST}:{spot}",
        websocket_api=f"ws://{HOST}:{spot}/ws-api/v3",
        credentials=credentials,
        **futures,
    )


def _later(delay_ns: int, action: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(delay_ns / 1e9, action)


def _set_faults(faults: FaultEngine, path: Path) -> None:
    try:
        faults.set(parse_toml(path.read_text()))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"--faults {path}: cannot be read ({error}); name a TOML file") from error
    except SpecError as error:
        raise SettingsError(f"--faults {path}: {error}") from error


def _check(settings: VenueSettings) -> None:
    if not settings.speed > 0:
        raise SettingsError(f"--speed {settings.speed}: give a number above 0, or max")
    for option, value, known in (
        ("--regime", settings.regime, REGIME_NAMES),
        ("--cancel-rule", settings.cancel_rule, tuple(CancelRule)),
    ):
        if value not in known:
            raise SettingsError(f"{option} {value}: give one of {', '.join(known)}")
    reserved = {BACKGROUND, FEES}.intersection(settings.accounts)
    if not settings.accounts or reserved or len(set(settings.accounts)) < len(settings.accounts):
        raise SettingsError(f"accounts {settings.accounts}: give distinct names other than {BACKGROUND} and {FEES}")

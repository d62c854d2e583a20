"""What a simulated venue is started with, and what it answers once it runs. Plain data."""

from dataclasses import dataclass, field
from pathlib import Path

from .core.settlement import FeeRates
from .crowd.parameters import CancelRule
from .crowd.regimes import Regime
from .limits import SPOT_LIMITS, LimitRules

# Whole units of the asset. Assets a symbol needs and that are not named get DEFAULT_BALANCE.
START_BALANCES = {"BTC": 10, "ETH": 100, "USDT": 1_000_000}
DEFAULT_BALANCE = 100_000
CONNECTION_LIFE_S = 86_400.0  # web-socket-streams.md, web-socket-api.md: "only valid for 24 hours"


@dataclass(frozen=True, slots=True)
class VenueSettings:
    """`port` 0 takes a free one. `state` keeps API keys between runs; without it nothing is written.

    `replay` names a capture that replaces the generated flow; `speed` is how many times faster than recorded, or than real
    time, the background runs (math.inf: as fast as it can); the venue's own clock stays. `regime`: of all symbols, one of
    REGIME_NAMES; `cancel_rule`: which order of a queue the crowd cancels, a CancelRule.
    `ed25519_public_key` and `rsa_public_key` are PEM text; they are accepted beside the HMAC secret under the first account's
    API key. `limits` are Binance Spot's.
    `clock_offset_ms`: how far the venue's clock runs ahead of this machine's (negative: behind), everywhere it shows:
    server time, event times, timestamp checks. `connection_life_s`: how long a WebSocket may stay; the venue's is a day.
    `futures_port`: where the USD-M futures face listens (0: a free port), None: there is none. Of `symbols` it has those in USDT;
    `replay`, `fees` and `limits` are not its. `futures_fees`: regular users' rates. `funding_ppm`: what the long side pays every 8 h.
    `faults` names a file of what goes wrong.
    """

    port: int = 0
    seed: int = 1
    symbols: tuple[str, ...] = ("BTCUSDT", "ETHUSDT")
    replay: Path | None = None
    speed: float = 1.0
    regime: str = Regime.CALM
    cancel_rule: str = CancelRule.UNIFORM
    control: bool = False
    state: Path | None = None
    fees: FeeRates = field(default_factory=FeeRates)
    balances: dict[str, int] = field(default_factory=lambda: dict(START_BALANCES))
    accounts: tuple[str, ...] = ("client",)
    ed25519_public_key: str | None = None
    rsa_public_key: str | None = None
    limits: LimitRules = SPOT_LIMITS
    clock_offset_ms: int = 0
    connection_life_s: float = CONNECTION_LIFE_S
    futures_port: int | None = None
    futures_fees: FeeRates = field(default_factory=lambda: FeeRates(maker_ppm=200, taker_ppm=500))
    funding_ppm: int = 100
    faults: Path | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    account: str
    api_key: str
    api_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a running venue answers; `credentials` in the order of VenueSettings.accounts. `futures_*` are empty without a futures face."""

    rest: str
    streams: str
    websocket_api: str
    credentials: tuple[Credentials, ...]
    futures_rest: str = ""
    futures_streams: str = ""
    futures_websocket_api: str = ""

    @property
    def api_key(self) -> str:
        return self.credentials[0].api_key

    @property
    def api_secret(self) -> str:
        return self.credentials[0].api_secret


class SettingsError(ValueError):
    """A setting cannot be used; the text names the option and the remedy."""

"""The configuration file: TOML, read into strict types. An unknown key is an error; keys of venues never stand in it.

[venue]        where to connect, and which environment variables or files hold the credentials
[[instrument]] what to trade, with its limits
[strategy]     the class, and its own parameters
[execution] [risk] [persistence] [portfolio]   each with a default for everything
"""

import difflib
import os
import re
import tomllib
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

import msgspec

from actors.execution import RANKS
from actors.microstructure import MicrostructureSettings
from gateway.doors.coordination.contract import TTL_MS_MIN, Misconfigured, check_name
from gateway.doors.coordination.endpoints import check_endpoints

MS = 1_000_000
S = 1_000_000_000
NUMBER_MAX = 1_000_000_000
"""Of any whole number in the file: 11 days in ms; in ns it still fits 64 bits."""


class ConfigError(Exception):
    """The configuration cannot be used. The text names the field and the remedy."""


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all sections: an unknown key is an error."""


class VenueSection(_Section, frozen=True):
    """kind: the adapter. key: credentials by reference; private_key_file (PEM) means Ed25519, secret means HMAC."""

    kind: Literal["binance-spot"]
    rest: str
    streams: str
    websocket_api: str
    api_key_env: str = "TOUCHLINE_API_KEY"
    api_secret_env: str = "TOUCHLINE_API_SECRET"
    private_key_file: str = ""
    recv_window_ms: int = 1_000
    clock_offset_max_ms: int = 500
    snapshot_levels: int = 1_000
    self_trade_prevention: Literal["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"] = "EXPIRE_TAKER"


class InstrumentSection(_Section, frozen=True):
    """symbol: as the venue writes it. Limits are in base asset, decimal text; position_min below 0 needs a margin account."""

    symbol: str
    order_max: str
    position_max: str
    position_min: str = "0"
    open_orders_max: int = 10
    collar_bps: int = 100


class StrategySection(_Section, frozen=True):
    """use: module:Class of a Strategy. parameters: handed to the class's own Parameters type, strictly."""

    use: str = "actors.strategy.examples.join_touch:JoinTouch"
    owner: str = "main"
    intent_life_ms: int = 2_000
    parameters: dict[str, Any] = {}


class ExecutionSection(_Section, frozen=True):
    """How target quotes become orders; see actors/execution for each.

    keep_place: an order whose wish moves one tick toward the other side stays, while at most keep_ahead_pct of the others
    at its price are ahead of it. avoid_flicker: no quote joins a level that comes and goes. step_back_on_thin_ice: quotes
    leave a side that stands on thin ice by one tick, and until thin_ice_hold_ms after. book_lag_ms: the longest way of a public
    update; a book received this much later than an acceptance contains the order.
    """

    reprice_ticks: int = 1
    quantity_change_pct: int = 20
    order_life_min_ms: int = 50
    replace: Literal["together", "after_cancel"] = "together"
    stale_ticks: int = 10
    keep_place: bool = True
    keep_ahead_pct: int = 25
    avoid_flicker: bool = True
    step_back_on_thin_ice: bool = True
    thin_ice_hold_ms: int = 1_000
    book_lag_ms: int = 100


class RiskSection(_Section, frozen=True):
    """Limits of the account. open_notional_max, order_notional_max, daily_loss_max: quote asset, decimal text; "0": no such limit.

    book_age_max_ms: of the last touch; intent_age_max_ms: of the frame a command was made from. order_rate_max: new orders
    in any order_rate_window_ms (Binance spot allows 50 in 10 s). dust: difference of ledger and venue that is not worth a
    stop. daily_loss_max counts realized PnL of the UTC day. clock_error_max_ms: venue clock's offset and uncertainty.
    """

    book_age_max_ms: int = 5_000
    intent_age_max_ms: int = 2_000
    order_rate_max: int = 40
    order_rate_window_ms: int = 10_000
    open_orders_max: int = 50
    open_notional_max: str = "0"
    order_notional_max: str = "0"
    daily_loss_max: str = "0"
    dust: str = "0"
    clock_error_max_ms: int = 1_000


class PersistenceSection(_Section, frozen=True):
    """sync_interval_ms: group commit of the journal for power loss; 0 leaves it to the kernel. SIGKILL never loses."""

    checkpoint_interval_ms: int = 5_000
    sync_interval_ms: int = 100
    input_log: bool = True
    input_log_segments: int = 8


class PortfolioSection(_Section, frozen=True):
    """baseline: what the first start does with the venue's balances; "accept" takes them as the ledger's start."""

    baseline: Literal["accept"] = "accept"


class OrdersSection(_Section, frozen=True):
    """prefix: of every client order id. leftovers: what a start does with our working orders."""

    prefix: str = "tl"
    leftovers: Literal["cancel", "adopt"] = "cancel"
    reconcile_interval_ms: int = 30_000


class ExitsSection(_Section, frozen=True):
    """When and how a position is closed by itself; see docs/howto/exits.md. Off unless enabled; 0 switches one part off.

    Distances are basis points of the average price. profit_target_bps and break_even_trigger_bps are net of both fees,
    stop_loss_bps, pressure_stop_bps and run_away_bps are not. profit_release_bps: so far short of the target again, the exit
    is taken back. passive_ms: at the touch, before it crosses. cross_ticks_max: beyond the opposite touch. pressure_threshold:
    0 to 1, of depth_imbalance and of pressure, both against the position for pressure_ms; 0.0: not looked at. *_fee_ppm:
    what the venue takes of an amount, in millionths (Binance spot without discount: 0.1 %). cooldown_ms: after a loss.
    """

    enabled: bool = False
    profit_target_bps: int = 10
    profit_release_bps: int = 2
    break_even_trigger_bps: int = 5
    stop_loss_bps: int = 20
    run_away_bps: int = 10
    passive_ms: int = 2_000
    cross_ticks_max: int = 10
    pressure_threshold: float = 0.0
    pressure_ms: int = 500
    pressure_stop_bps: int = 0
    maker_fee_ppm: int = 1_000
    taker_fee_ppm: int = 1_000
    cooldown_ms: int = 30_000


class MicrostructureSection(MicrostructureSettings, _Section, frozen=True):
    """Windows and thresholds of the signals: the actor's own settings, which check their bounds themselves."""


class CoordinationSection(_Section, frozen=True):
    """Who may trade, of several instances. backend "local": one machine, a SQLite file at `path`, absolute and the same in all
    instances that shall see each other; "": private to --state. "etcd": `endpoints`, tried in turn. Where backend is written,
    what only the other one reads may stand beside it and is not looked at: one word changes over.

    group: scopes of one owner, whose orders must never meet. account: label of the account at the venue; who leads it may
    trade on it. ttl_ms: how long a silent leader is believed; etcd counts whole seconds. ca_file, cert_file, key_file (PEM):
    TLS to etcd, without which endpoints off this machine are refused; the latter two if its members ask for a certificate.
    """

    backend: Literal["local", "etcd"] = "local"
    path: str = ""
    endpoints: tuple[str, ...] = ("127.0.0.1:2379",)
    group: str = "main"
    account: str = "main"
    ttl_ms: int = 5_000
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""


class Config(_Section, frozen=True):
    """The whole file."""

    venue: VenueSection
    instrument: list[InstrumentSection]
    strategy: StrategySection = StrategySection()
    execution: ExecutionSection = ExecutionSection()
    risk: RiskSection = RiskSection()
    orders: OrdersSection = OrdersSection()
    persistence: PersistenceSection = PersistenceSection()
    portfolio: PortfolioSection = PortfolioSection()
    exits: ExitsSection = ExitsSection()
    microstructure: MicrostructureSection = MicrostructureSection()
    coordination: CoordinationSection = CoordinationSection()


_SECTIONS: dict[str, type[_Section]] = {
    "venue": VenueSection,
    "instrument": InstrumentSection,
    "strategy": StrategySection,
    "execution": ExecutionSection,
    "risk": RiskSection,
    "orders": OrdersSection,
    "persistence": PersistenceSection,
    "portfolio": PortfolioSection,
    "exits": ExitsSection,
    "microstructure": MicrostructureSection,
    "coordination": CoordinationSection,
}
ETCD_KEYS = ("endpoints", "ca_file", "cert_file", "key_file")
"""Of [coordination]: what the local backend has no use for."""
_POSITIVE = re.compile(r"^(recv_window_ms|snapshot_levels|order_rate_window_ms|checkpoint_interval_ms|intent_life_ms)$")


def load(path: Path) -> Config:
    """Read and check the file. Raises ConfigError with the file, the field and the remedy."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    return parse(text, str(path))


def parse(text: str, name: str = "config") -> Config:
    """The same from text; `name` stands in front of what it says."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: not TOML: {error}") from error
    _check_keys(table, name)
    _check_backend(table, name)
    try:
        config = msgspec.convert(table, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{name}: {_plain(str(error), table)}") from error
    _check_values(config, name)
    return config


def _check_keys(table: dict[str, Any], name: str) -> None:
    """Unknown keys first, with the key that was probably meant."""
    _check_names(table, list(_SECTIONS), f"{name}: section")
    for section, kind in _SECTIONS.items():
        rows = table.get(section, {})
        if isinstance(rows, list) is not (section == "instrument") and section in table:
            brackets = "[[instrument]]" if section == "instrument" else f"[{section}]"
            raise ConfigError(f"{name}: {section} is not written as a section; begin it with a line {brackets}")
        for row in rows if isinstance(rows, list) else [rows]:
            if isinstance(row, dict):
                _check_names(row, list(kind.__struct_fields__), f"{name}: [{section}] key")


def _check_backend(table: dict[str, Any], name: str) -> None:
    """Whoever names etcd's settings means etcd: without the word they would trade on a private file, beside each other."""
    section = table.get("coordination", {})
    for key in ETCD_KEYS:
        if key in section and "backend" not in section:
            raise ConfigError(f'{name}: [coordination] {key}: is read by etcd alone; write backend = "etcd" as well')


def _check_names(table: dict[str, Any], known: list[str], what: str) -> None:
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            raise ConfigError(f"{what} {key!r} is unknown; {hint}")


def _check_values(config: Config, name: str) -> None:
    def refuse(field: str, problem: str) -> None:
        raise ConfigError(f"{name}: {field}: {problem}")

    if not config.instrument:
        refuse("[[instrument]]", "none is given; name at least one symbol")
    symbols = [row.symbol for row in config.instrument]
    for row in config.instrument:
        if not re.fullmatch(r"[A-Z0-9_-]{2,30}", row.symbol):
            refuse("[[instrument]] symbol", f"{row.symbol!r} is not a symbol; write it as the venue does, like BTCUSDT")
        if symbols.count(row.symbol) > 1:
            refuse("[[instrument]] symbol", f"{row.symbol} stands twice; remove one")
        for field, sign, bound in (("order_max", 1, "above"), ("position_max", 0, "at least"), ("position_min", 0, "")):
            units = decimal_units(getattr(row, field), 8, f"{name}: [[instrument]] {row.symbol} {field}")
            if bound and units < sign:
                refuse(f"[[instrument]] {row.symbol} {field}", f"{getattr(row, field)} must be {bound} 0")
            if not bound and units > 0:
                refuse(
                    f"[[instrument]] {row.symbol} {field}", f"{getattr(row, field)} must be 0 or below: flat is allowed"
                )
    for field in ("open_notional_max", "order_notional_max", "daily_loss_max", "dust"):
        decimal_units(getattr(config.risk, field), 8, f"{name}: [risk] {field}")
    for field in ("open_notional_max", "order_notional_max", "daily_loss_max", "dust"):
        if getattr(config.risk, field).startswith("-"):
            refuse(f"[risk] {field}", f'{getattr(config.risk, field)} is below 0; a limit is a size, and "0" is none')
    counts = {f"[risk] {field}": getattr(config.risk, field) for field in ("open_orders_max", "order_rate_max")}
    counts |= {f"[[instrument]] {row.symbol} open_orders_max": row.open_orders_max for row in config.instrument}
    for field, count in counts.items():
        if count < 1:
            refuse(field, f"{count} would refuse every order; write at least 1")
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,29}", config.strategy.owner):
        refuse(
            "[strategy] owner",
            f"{config.strategy.owner!r} is not 1 to 30 characters of a-z, 0-9, _ and -, a letter first",
        )
    if config.strategy.owner in RANKS:
        refuse(
            "[strategy] owner",
            f"{config.strategy.owner!r} is a name that outranks strategies; write another, like main",
        )
    if config.execution.keep_ahead_pct > 100:
        refuse("[execution] keep_ahead_pct", f"{config.execution.keep_ahead_pct} is a share; write 0 to 100")
    if not re.fullmatch(r"[a-z][a-z0-9]{0,2}", config.orders.prefix):
        refuse("[orders] prefix", f"{config.orders.prefix!r} is not 1 to 3 characters of a-z, 0-9, a letter first")
    for section, kind in _SECTIONS.items():
        if section == "instrument":
            continue
        for field in kind.__struct_fields__:
            value = getattr(getattr(config, section), field)
            if not isinstance(value, int) or isinstance(value, bool):
                continue
            least = 1 if _POSITIVE.match(field) else 0
            if value < least:
                refuse(f"[{section}] {field}", f"{value} is too small; the least is {least}")
            if value > NUMBER_MAX:
                refuse(f"[{section}] {field}", f"{value} is too large; the most is {NUMBER_MAX}")
    if config.venue.recv_window_ms > 60_000:
        refuse("[venue] recv_window_ms", f"{config.venue.recv_window_ms} is too large; the venue allows at most 60000")
    for field, schemes in (("rest", ("http", "https")), ("streams", ("ws", "wss")), ("websocket_api", ("ws", "wss"))):
        url = getattr(config.venue, field)
        if url.split("://")[0] not in schemes or "://" not in url:
            refuse(f"[venue] {field}", f"{url!r} is not a URL that starts with {schemes[0]}:// or {schemes[1]}://")
        if not _has_address(url):
            refuse(f"[venue] {field}", f"{url!r} has no host, or a port that is none; write {schemes[1]}://HOST[:PORT]")
    try:
        _check_coordination(config.coordination, config.venue.kind)
    except Misconfigured as error:
        refuse(error.field, error.problem)


def _check_coordination(section: CoordinationSection, venue: str) -> None:
    """Raises Misconfigured."""
    check_name("[coordination] group", section.group)
    check_name("[coordination] account", section.account)
    check_name("[coordination] account", f"{venue}:{section.account}")
    if section.ttl_ms < TTL_MS_MIN:
        raise Misconfigured("[coordination] ttl_ms", f"{section.ttl_ms} is too small; the least is {TTL_MS_MIN}")
    if section.backend == "local" and section.path and not Path(section.path).is_absolute():
        raise Misconfigured(
            "[coordination] path",
            f"{section.path!r} is relative, so each state directory would have its own; write the absolute path that all "
            "instances share, or leave it out: the file is then private to --state",
        )
    if section.backend == "etcd":
        check_endpoints(section.endpoints, section.ca_file, section.cert_file, section.key_file)


def _has_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?|::1", parts.hostname or "") is not None and (
            parts.port is None or parts.port > 0
        )
    except ValueError:
        return False


def decimal_units(text: str, scale: int, field: str) -> int:
    """Decimal text to integer units of 10^-scale, exactly. Raises ConfigError naming `field`."""
    match = re.fullmatch(r"(-?)([0-9]{1,15})(?:\.([0-9]+))?", text)
    if match is None:
        raise ConfigError(f'{field}: {text!r} is not a decimal number; write it as text, like "0.25"')
    sign, whole, fraction = match.groups(default="")
    if len(fraction.rstrip("0")) > scale:
        raise ConfigError(f"{field}: {text!r} has more than {scale} decimals")
    units: int = int(whole) * 10**scale + int(fraction[:scale].ljust(scale, "0") or "0")
    return -units if sign else units


def decimal_text(units: int, scale: int) -> str:
    """Integer units of 10^-scale as plain decimal text without trailing zeros: -150000000, 8 -> -1.5."""
    whole, part = divmod(abs(units), 10**scale)
    fraction = f".{part:0{scale}d}".rstrip("0").rstrip(".") if scale else ""
    return f"{'-' if units < 0 else ''}{whole}{fraction}"


_KINDS = {
    "int": "a whole number",
    "str": "text in quotes",
    "bool": "true or false",
    "float": "a number",
    "array": "a list",
}


def _plain(error: str, table: dict[str, Any]) -> str:
    """msgspec's text in the words of the file, with the value: `$.venue.rest` -> [venue] rest."""
    missing = re.fullmatch(r"Object missing required field `(\w+)`", error)
    if missing is not None:
        section = "[[instrument]]" if missing[1] == "instrument" else f"[{missing[1]}]"
        return f"the section {section} is missing; add it"
    match = re.search(r" - at `\$\.(\w+)(?:\[(\d+|\.\.\.)\])?(?:\.(.+))?`$", error)
    if match is None:
        return error
    section, index, key = match.groups()
    where = f"[[{section}]]" if index else f"[{section}]"
    told = error[: match.start()].replace("`", "'")
    missing = re.fullmatch(r"Object missing required field '(\w+)'", told)
    if missing is not None:
        return f"{where}: the key {missing[1]!r} is missing; add it"
    wrong = re.fullmatch(r"Expected '(\w+)', got '(\w+)'", told)
    values = _values(table, section, key or "")
    if wrong is not None and values:
        shown = next((value for value in values if type(value).__name__ == wrong[2]), values[0])
        hint = f'; write "{shown}"' if wrong[1] == "str" and isinstance(shown, int | float) else ""
        return f"{where} {key}: {shown!r} is not {_KINDS.get(wrong[1], wrong[1])}{hint}"
    if told.startswith("Invalid enum value") and key:
        known = ", ".join(get_args(_SECTIONS[section].__annotations__.get(key)))
        return f"{where} {key}: {told.removeprefix('Invalid enum value ')} is unknown; known: {known}"
    return f"{where} {key or ''}: {told}".replace(" :", ":")


def _values(table: dict[str, Any], section: str, key: str) -> list[Any]:
    """What the file says for a key, one for each row of its section."""
    rows = table.get(section, {})
    return [row[key] for row in (rows if isinstance(rows, list) else [rows]) if isinstance(row, dict) and key in row]


def credentials(venue: VenueSection) -> tuple[str, str, str]:
    """(api key, HMAC secret or "", Ed25519 private key PEM or ""). Raises ConfigError; it never shows a secret."""
    key = os.environ.get(venue.api_key_env, "").strip()
    if not key:
        raise ConfigError(f"the environment variable {venue.api_key_env} is not set; put the API key there")
    if venue.private_key_file:
        path = Path(venue.private_key_file).expanduser()
        try:
            if path.stat().st_mode & 0o077:
                raise ConfigError(f"[venue] private_key_file: others may read {path}; run: chmod 600 {path}")
            return key, "", path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            reason = (
                error.strerror if isinstance(error, OSError) else "not PEM text"
            )  # its own text would quote the key
            raise ConfigError(f"[venue] private_key_file: {path} cannot be read: {reason}; check the path") from None
    secret = os.environ.get(venue.api_secret_env, "").strip()
    if not secret:
        raise ConfigError(
            f"the environment variable {venue.api_secret_env} is not set; put the API secret there, "
            "or name a private_key_file for an Ed25519 key"
        )
    return key, secret, ""

"""Reading the configuration: a TOML file, and what of it cannot be. An unknown key is an error; keys of venues never
stand in it. Decimal text and credentials are read here too.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, get_args

import msgspec

from actors.execution import RANKS
from actors.risk import COUNTED_MAX, THRESHOLDS
from bus.messages import decimal_text as decimal_text  # the other way of decimal_units
from gateway.doors.coordination.contract import TTL_MS_MIN, Misconfigured, check_name
from gateway.doors.coordination.endpoints import check_endpoints
from ops.sections import (
    SECTIONS,
    Config,
    CoordinationSection,
    PortfolioSection,
    RiskSection,
    SentinelSection,
    VenueSection,
)
from ops.venue_sections import complete

NUMBER_MAX = 1_000_000_000
"""Of any whole number in the file: 11 days in ms; in ns it still fits 64 bits."""


FUTURES = "binance-usdm"
DEAD_MAN_MS_MIN = 5_000
"""Shorter, and a pause of the network or of this process fires it. Chosen."""
COUNTDOWN_MS_MIN = 4_000
"""A symbol: four calls of weight 10 in it, so that all of them use a quarter of 2,400 a minute. Chosen."""
LOOK_MS_MIN, LOOK_SYMBOL_MS_MIN = 500, 300
"""A look at the account weighs 10, and 6 for each symbol: so seldom, looks use half of 2,400 a minute. Chosen."""


class ConfigError(Exception):
    """The configuration cannot be used. The text names the field and the remedy."""


ROWS = ("instrument", "feed")
"""Sections of which there may be several."""
ETCD_KEYS = ("endpoints", "ca_file", "cert_file", "key_file")
"""Of [coordination]: what the local backend has no use for."""
BPS = 10_000
SILENCE_MS_MIN = 500
"""A loop stands still for less by itself now and then: a full disk, a swapped machine. Chosen."""
_POSITIVE = re.compile(
    r"^(recv_window_ms|snapshot_levels|order_rate_window_ms|checkpoint_interval_ms|intent_life_ms|budget_us|window_s"
    r"|deadline_s|flatten_s|flatten_collar_bps|look_ms|rejects_window_ms|fills_window_ms|disconnects_window_ms"
    r"|in_flight_max|calm_ms)$"
)
HANG_MS_MIN = 100
"""Of [strategy] hang_ms: it is found in five looks, and the scheduler of a busy machine takes tens of ms by itself."""


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
    _check_dead_man(table, name)
    try:
        config = msgspec.convert(table, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{name}: {_plain(str(error), table)}") from error
    _check_values(config, name)
    try:
        return complete(config)
    except Misconfigured as error:
        raise ConfigError(f"{name}: {error.field}: {error.problem}") from error


def _check_keys(table: dict[str, Any], name: str) -> None:
    """Unknown keys first, with the key that was probably meant."""
    _check_names(table, list(SECTIONS), f"{name}: section")
    for section, kind in SECTIONS.items():
        rows = table.get(section, {})
        if isinstance(rows, list) is not (section in ROWS) and section in table:
            brackets = f"[[{section}]]" if section in ROWS else f"[{section}]"
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


def _check_dead_man(table: dict[str, Any], name: str) -> None:
    """Whoever asks Spot for it would believe in a switch that is not there."""
    section = table.get("venue", {})
    if isinstance(section, dict) and section.get("dead_man_ms") and section.get("kind") != FUTURES:
        raise ConfigError(f"{name}: [venue] dead_man_ms: only {FUTURES} has one; remove it, and run touchline sentinel")


def _check_futures(config: Config) -> None:
    """Raises Misconfigured."""
    section = config.venue
    if section.self_trade_prevention == "NONE":
        raise Misconfigured(
            "[venue] self_trade_prevention", "NONE is not taken by the futures any more; write EXPIRE_TAKER"
        )
    span_ms = section.dead_man_ms
    if 0 < span_ms < DEAD_MAN_MS_MIN:
        raise Misconfigured("[venue] dead_man_ms", f"{span_ms} is too small; the least is {DEAD_MAN_MS_MIN}, 0 is off")
    least = len(config.instrument) * COUNTDOWN_MS_MIN
    if 0 < span_ms < least:
        raise Misconfigured(
            "[venue] dead_man_ms",
            f"{span_ms} for {len(config.instrument)} symbols uses up the venue's rate limit; the least is {least}",
        )
    look_ms, least = config.orders.reconcile_interval_ms, LOOK_MS_MIN + len(config.instrument) * LOOK_SYMBOL_MS_MIN
    if look_ms < least:
        raise Misconfigured(
            "[orders] reconcile_interval_ms",
            f"{look_ms} for {len(config.instrument)} symbols uses up the venue's rate limit; the least is {least}",
        )


def _check_names(table: dict[str, Any], known: list[str], what: str) -> None:
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            raise ConfigError(f"{what} {key!r} is unknown; {hint}")


def _check_values(config: Config, name: str) -> None:
    def refuse(field: str, problem: str) -> NoReturn:
        raise ConfigError(f"{name}: {field}: {problem}")

    _check_instruments(config, name, refuse)
    counts = {f"[risk] {field}": getattr(config.risk, field) for field in ("open_orders_max", "order_rate_max")}
    counts |= {f"[[instrument]] {row.symbol} open_orders_max": row.open_orders_max for row in config.instrument}
    for field, count in counts.items():
        if count < 1:
            refuse(field, f"{count} would refuse every order; write at least 1")
    _check_risk(config.risk, name)
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
    _check_portfolio(config.portfolio, name)
    for section, kind in SECTIONS.items():
        if section in ROWS:
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
    if config.strategy.hang_ms < HANG_MS_MIN:
        refuse("[strategy] hang_ms", f"{config.strategy.hang_ms} is too small; the least is {HANG_MS_MIN}")
    if config.stop.flatten_collar_bps >= BPS:
        refuse(
            "[stop] flatten_collar_bps", f"{config.stop.flatten_collar_bps} would be any price; write less than {BPS}"
        )
    sentinel = config.sentinel
    if sentinel.silence_ms < max(SILENCE_MS_MIN, 2 * sentinel.look_ms):
        refuse(
            "[sentinel] silence_ms",
            f"{sentinel.silence_ms} is too small; the least is {SILENCE_MS_MIN}, and twice look_ms = {sentinel.look_ms}",
        )
    try:
        if config.venue.kind == FUTURES:
            _check_futures(config)
        _check_coordination(config.coordination, config.venue.kind)
    except Misconfigured as error:
        refuse(error.field, error.problem)


def _check_instruments(config: Config, name: str, refuse: Callable[[str, str], NoReturn]) -> None:
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


def _check_risk(section: RiskSection, name: str) -> None:
    for field in ("open_notional_max", "order_notional_max", "daily_loss_max", "drawdown_max", "dust"):
        text = getattr(section, field)
        decimal_units(text, 8, f"{name}: [risk] {field}")
        if text.startswith("-"):
            raise ConfigError(f'{name}: [risk] {field}: {text} is below 0; a limit is a size, and "0" is none')
    for field in ("rejects_max", "fills_max", "disconnects_max", "repeats_max"):
        count = getattr(section, field)
        if count < 0:
            raise ConfigError(f"{name}: [risk] {field}: {count} is below 0; 0 is no such limit")
        if count > COUNTED_MAX:
            raise ConfigError(
                f"{name}: [risk] {field}: {count} is too large; at most {COUNTED_MAX}: each is remembered"
            )
    if not section.rejects_max:
        raise ConfigError(f"{name}: [risk] rejects_max: 0 would let the venue refuse for ever; write at least 1")
    for field in ("feed_steps_ms", "acknowledgement_steps_ms", "loop_steps_ms", "clock_steps_ms"):
        steps = getattr(section, field)
        if steps and not (len(steps) == THRESHOLDS and steps[0] > 0 and list(steps) == sorted(set(steps))):
            raise ConfigError(
                f"{name}: [risk] {field}: {list(steps)} is no ladder; write {THRESHOLDS} bounds above 0 that rise, "
                "or [] to leave it unlooked at"
            )


def _check_portfolio(section: PortfolioSection, name: str) -> None:
    if bool(section.balances) is not (section.baseline == "stated"):
        remedy = 'write baseline = "stated"' if section.balances else "add a section [portfolio.balances]"
        raise ConfigError(f"{name}: [portfolio] baseline: {section.baseline!r} does not go with its balances; {remedy}")
    for asset, text in section.balances.items():
        decimal_units(text, 18, f"{name}: [portfolio.balances] {asset}")


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
        known = ", ".join(get_args(SECTIONS[section].__annotations__.get(key)))
        return f"{where} {key}: {told.removeprefix('Invalid enum value ')} is unknown; known: {known}"
    return f"{where} {key or ''}: {told}".replace(" :", ":")


def _values(table: dict[str, Any], section: str, key: str) -> list[Any]:
    """What the file says for a key, one for each row of its section."""
    rows = table.get(section, {})
    return [row[key] for row in (rows if isinstance(rows, list) else [rows]) if isinstance(row, dict) and key in row]


def credentials(venue: VenueSection | SentinelSection, section: str = "[venue]") -> tuple[str, str, str]:
    """(api key, HMAC secret or "", Ed25519 private key PEM or ""). Raises ConfigError; it never shows a secret."""
    key = os.environ.get(venue.api_key_env, "").strip()
    if not key:
        raise ConfigError(f"the environment variable {venue.api_key_env} is not set; put the API key there")
    if venue.private_key_file:
        path = Path(venue.private_key_file).expanduser()
        try:
            if path.stat().st_mode & 0o077:
                raise ConfigError(f"{section} private_key_file: others may read {path}; run: chmod 600 {path}")
            return key, "", path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            reason = (
                error.strerror if isinstance(error, OSError) else "not PEM text"
            )  # its own text would quote the key
            raise ConfigError(f"{section} private_key_file: {path} cannot be read: {reason}; check the path") from None
    secret = os.environ.get(venue.api_secret_env, "").strip()
    if not secret:
        raise ConfigError(
            f"the environment variable {venue.api_secret_env} is not set; put the API secret there, "
            "or name a private_key_file for an Ed25519 key"
        )
    return key, secret, ""

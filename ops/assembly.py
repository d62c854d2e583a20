"""From a configuration and the venue's instruments to actors. The one place that knows every actor's constructor."""

import importlib
import traceback
from collections.abc import Callable, Collection, Sequence
from typing import Any
from zlib import crc32

import msgspec

from actors.coordination import Coordination, CoordinationSettings
from actors.execution import Execution, ExecutionSettings
from actors.exits import Exits, ExitsSettings, FlattenSettings, OrderMax
from actors.market_data import MarketData
from actors.microstructure import Microstructure
from actors.orderbook import Orderbook
from actors.orders import External, Leftovers, Orders, OrdersSettings, Orphans
from actors.persistence import Persistence, PersistenceSettings
from actors.portfolio import BaselinePolicy, Portfolio, PortfolioSettings
from actors.risk import AccountLimits, LatencyLimits, Risk, RiskLimits
from actors.strategy import Strategy, StrategyActor, StrategySettings
from bus.actor import Actor
from bus.messages import Instrument, TradingState
from ops.config import ConfigError, decimal_units
from ops.feeds import feed_connections, is_traded, shapes
from ops.sections import MS, Config, InstrumentSection, RiskSection, S
from ops.topology import ACTORS

ACCOUNT = 0
VENUE = 0
"""Numbers of the one account and venue that a configuration names."""

TRADES_WINDOW_NS = 6 * 86_400_000_000_000
"""After a week USD-M futures' history of trades is asked by time (gateway/binance_usdm/queries.py); a day to spare. Chosen."""


def build_actors(
    config: Config, instruments: Sequence[Instrument], names: Collection[str] = ACTORS
) -> list[Actor[Any]]:
    """The actors of one host, in the order of the layers; all of them unless told otherwise.

    instruments: those that are traded, and those that are looked at (ops.feeds). Raises ConfigError when a limit does not fit an instrument's filters.
    """
    return [make(config, instruments) for name, make in _MAKERS.items() if name in names]


def _strategy(config: Config, instruments: Sequence[Instrument]) -> StrategyActor:
    settings = StrategySettings(
        owner=config.strategy.owner,
        account=ACCOUNT,
        instruments=tuple(row.instrument for row in instruments if is_traded(row)),
        watched=tuple(row.instrument for row in instruments if not is_traded(row)),
        intent_life_ns=config.strategy.intent_life_ms * MS,
    )
    return StrategyActor(load_strategy(config), settings, lambda: load_strategy(config))


def load_strategy(config: Config) -> Strategy:
    """Import `[strategy] use` and hand it its parameters. Raises ConfigError naming what is wrong."""
    use = config.strategy.use
    module_name, _, class_name = use.partition(":")
    try:
        module = importlib.import_module(module_name)
        cls = getattr(module, class_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"[strategy] use: {use!r} cannot be loaded ({error}); write module:Class") from error
    except (Exception, SystemExit) as error:
        raise ConfigError(f"[strategy] use: {use!r} raises when it is imported: {_told(error)}") from error
    if not (isinstance(cls, type) and issubclass(cls, Strategy)):
        raise ConfigError(f"[strategy] use: {use!r} is not a subclass of actors.strategy.Strategy")
    parameters = getattr(module, "Parameters", None)
    if parameters is None:
        if config.strategy.parameters:
            raise ConfigError(
                f"[strategy.parameters]: {module_name} has no Parameters type and takes none; define it there (or import that "
                "of the class it builds on), or remove the section"
            )
        return cls()
    try:
        return cls(msgspec.convert(config.strategy.parameters, parameters))  # type: ignore[call-arg]  # by convention
    except (msgspec.ValidationError, ValueError) as error:
        text = str(error)
        known = ", ".join(getattr(parameters, "__struct_fields__", ()))
        hint = f"; known: {known}" if "unknown field" in text else ""
        raise ConfigError(f"[strategy.parameters]: {text.replace(' - at `$.', ' - at `')}{hint}") from error


def _told(error: BaseException) -> str:
    """The error with its file and line, on one line."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {error.msg}"
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}: {type(error).__name__}: {error}".replace("\n", " ")


def _execution(config: Config) -> ExecutionSettings:
    section = config.execution
    try:
        return ExecutionSettings(
            reprice_ticks=section.reprice_ticks,
            quantity_change_ppm=section.quantity_change_pct * 10_000,
            order_life_ns_min=section.order_life_min_ms * MS,
            replace=section.replace,
            stale_ticks=section.stale_ticks,
            keep_place=section.keep_place,
            keep_ahead_ppm=section.keep_ahead_pct * 10_000,
            avoid_flicker=section.avoid_flicker,
            step_back_on_thin_ice=section.step_back_on_thin_ice,
            thin_ice_hold_ns=section.thin_ice_hold_ms * MS,
            book_lag_ns=section.book_lag_ms * MS,
        )
    except ValueError as error:
        raise ConfigError(f"[execution]: {error}") from error


def _exits(config: Config, instruments: Sequence[Instrument]) -> Exits:
    section = config.exits
    try:
        settings = ExitsSettings(
            profit_target_bps=section.profit_target_bps,
            profit_release_bps=section.profit_release_bps,
            break_even_trigger_bps=section.break_even_trigger_bps,
            stop_loss_bps=section.stop_loss_bps,
            run_away_bps=section.run_away_bps,
            passive_ns=section.passive_ms * MS,
            cross_ticks_max=section.cross_ticks_max,
            pressure_threshold=section.pressure_threshold,
            pressure_ns=section.pressure_ms * MS,
            pressure_stop_bps=section.pressure_stop_bps,
            maker_fee_ppm=section.maker_fee_ppm,
            taker_fee_ppm=section.taker_fee_ppm,
            cooldown_ns=section.cooldown_ms * MS,
        )
    except ValueError as error:
        raise ConfigError(f"[exits]: {error}") from error
    rows = _limits(config, instruments).items()
    order_max = {
        number: OrderMax(limits.order_lots_max, limits.order_notional_max, limits.unit, limits.collar_bps)
        for number, limits in rows
    }
    stop = config.stop
    flatten = FlattenSettings(
        collar_bps=stop.flatten_collar_bps, seconds_ns=stop.flatten_s * S, goes_on=stop.flatten_goes_on
    )
    return Exits(settings if section.enabled else None, order_max, flatten)


def _orders(config: Config) -> OrdersSettings:
    return OrdersSettings(
        account=ACCOUNT,
        venue=VENUE,
        prefix=config.orders.prefix,
        leftovers=Leftovers[config.orders.leftovers.upper()],
        orphans=Orphans[config.orders.orphans.upper()],
        external=External[config.orders.external.upper()],
        recv_window_ns=config.venue.recv_window_ms * MS,
        positions=config.venue.kind == "binance-usdm",
        trades_window_ns=TRADES_WINDOW_NS if config.venue.kind == "binance-usdm" else 0,
        reconcile_interval_ns=config.orders.reconcile_interval_ms * MS,
        stream_silence_ns=config.orders.stream_silence_ms * MS,
    )


def unfit(config: Config, instrument: Instrument) -> str:
    """Why the configured limits cannot be counted in this instrument's lots; "" when they can, or when nobody trades it."""
    try:
        _limits(config, [instrument])
    except ConfigError as error:
        return str(error)
    return ""


def _limits(config: Config, instruments: Sequence[Instrument]) -> dict[int, RiskLimits]:
    rows = {row.symbol: row for row in config.instrument}
    return {
        instrument.instrument: _limit(config, rows[instrument.venue_symbol], instrument)
        for instrument in instruments
        if is_traded(instrument)
    }


def _limit(config: Config, row: InstrumentSection, instrument: Instrument) -> RiskLimits:
    def lots(field: str) -> int:
        units = decimal_units(getattr(row, field), instrument.quantity_scale, f"[[instrument]] {row.symbol} {field}")
        whole, rest = divmod(units, instrument.lot)
        if rest:
            step = instrument.lot / 10**instrument.quantity_scale
            raise ConfigError(
                f"[[instrument]] {row.symbol} {field}: {getattr(row, field)} is not a multiple of the venue's lot {step:.8f}"
            )
        return whole

    try:
        return RiskLimits(
            order_lots_max=lots("order_max"),
            position_lots_max=lots("position_max"),
            position_lots_min=lots("position_min"),
            order_notional_max=decimal_units(
                config.risk.order_notional_max, instrument.quote_scale, "[risk] order_notional_max"
            ),
            open_orders_max=row.open_orders_max,
            collar_bps=row.collar_bps,
            touch_age_ns_max=config.risk.book_age_max_ms * MS,
            intent_age_ns_max=config.risk.intent_age_max_ms * MS,
            feed_lag_ns_max=config.risk.feed_lag_max_ms * MS,
            rejects_max=config.risk.rejects_max,
            rejects_window_ns=config.risk.rejects_window_ms * MS,
            fills_max=config.risk.fills_max,
            fills_window_ns=config.risk.fills_window_ms * MS,
            unit=instrument.lot * int(10 ** (instrument.base_scale - instrument.quantity_scale)),
        )
    except ValueError as error:
        raise ConfigError(f"[[instrument]] {row.symbol}: {error}") from error


def _scales(instruments: Sequence[Instrument]) -> tuple[dict[str, int], dict[str, int]]:
    """Decimals by asset of what is traded: the quote assets, the base assets."""
    traded = [instrument for instrument in instruments if is_traded(instrument)]
    quotes = {instrument.quote_asset: instrument.quote_scale for instrument in traded}
    # A contract's position is an entry of the ledger by the venue's symbol: its base asset is never ours.
    return quotes, {one.venue_symbol if one.settle_asset else one.base_asset: one.base_scale for one in traded}


def _bounds(text: str, field: str, scales: dict[str, int]) -> dict[str, int]:
    """The same decimal bound for each asset; "0" is none."""
    return {asset: units for asset, scale in scales.items() if (units := decimal_units(text, scale, f"[risk] {field}"))}


def _portfolio(config: Config, instruments: Sequence[Instrument]) -> Portfolio:
    section = config.portfolio
    quotes, bases = _scales(instruments)
    scales = quotes | bases
    for asset in section.balances:
        if instruments and asset not in scales:
            raise ConfigError(f"[portfolio.balances] {asset}: no instrument trades it; known: {', '.join(scales)}")
    stated = tuple(
        (asset, decimal_units(text, scales[asset], f"[portfolio.balances] {asset}"))
        for asset, text in section.balances.items()
        if asset in scales
    )
    dust = tuple(_bounds(config.risk.dust, "dust", scales).items())
    return Portfolio(PortfolioSettings(ACCOUNT, VENUE, BaselinePolicy[section.baseline.upper()], stated, dust))


def _account_limits(config: Config, instruments: Sequence[Instrument]) -> AccountLimits:
    risk = config.risk
    quotes, bases = _scales(instruments)

    try:
        return AccountLimits(
            open_orders_max=risk.open_orders_max,
            open_notional_max=_bounds(risk.open_notional_max, "open_notional_max", quotes),
            order_rate=risk.order_rate_max,
            order_rate_window_ns=risk.order_rate_window_ms * MS,
            daily_loss_max=_bounds(risk.daily_loss_max, "daily_loss_max", quotes),
            dust=_bounds(risk.dust, "dust", quotes | bases),
            clock_error_ns_max=risk.clock_error_max_ms * MS,
            venue=VENUE,
            drawdown_max=_bounds(risk.drawdown_max, "drawdown_max", quotes),
            drawdown_twice=TradingState[risk.drawdown_twice.upper()],
            stale_ns=risk.stale_position_ms * MS,
            disconnects_max=risk.disconnects_max,
            disconnects_window_ns=risk.disconnects_window_ms * MS,
            disconnects_quiet_ns=risk.disconnects_quiet_ms * MS,
            repeats_max=risk.repeats_max,
            latency=_latency_limits(risk),
        )
    except ValueError as error:
        raise ConfigError(f"[risk]: {error}") from error


def _latency_limits(risk: RiskSection) -> LatencyLimits:
    return LatencyLimits(
        feed_ns=tuple(bound * MS for bound in risk.feed_steps_ms),
        acknowledgement_ns=tuple(bound * MS for bound in risk.acknowledgement_steps_ms),
        loop_ns=tuple(bound * MS for bound in risk.loop_steps_ms),
        clock_ns=tuple(bound * MS for bound in risk.clock_steps_ms),
        widen_ticks=risk.widen_ticks,
        widen_ppm=risk.widen_bps * 100,
        in_flight_max=risk.in_flight_max,
        calm_ns=risk.calm_ms * MS,
    )


def _seed(config: Config) -> int:
    """Of what is spread in time: engines of several accounts on one address must not ask the venue in step."""
    return crc32(f"{config.coordination.group}/{config.coordination.account}".encode())


_MAKERS: dict[str, Callable[[Config, Sequence[Instrument]], Actor[Any]]] = {
    "market_data": lambda config, instruments: MarketData(
        feed_connections(config, instruments), config.venue.snapshot_levels, _seed(config)
    ),
    "orderbook": lambda config, _: Orderbook(config.venue.snapshot_levels, shapes=shapes(config)),
    "microstructure": lambda config, _: Microstructure(config.microstructure),
    "exits": _exits,
    "strategy": _strategy,
    "execution": lambda config, _: Execution(_execution(config)),
    "risk": lambda config, instruments: Risk(_limits(config, instruments), _account_limits(config, instruments)),
    "orders": lambda config, _: Orders(_orders(config)),
    "portfolio": _portfolio,
    "coordination": lambda config, _: Coordination(CoordinationSettings(account=ACCOUNT)),
    "persistence": lambda config, _: Persistence(
        PersistenceSettings(checkpoint_interval_ns=config.persistence.checkpoint_interval_ms * MS)
    ),
}
"""How each actor is made; a host makes only what is placed on it: where no strategy runs, none is imported."""

"""What an operator asks first, as one JSON object: of a running engine by its telemetry, of one that is over by what it left."""

import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bus.clock import boottime_ns
from bus.log import LogError
from bus.messages import BookState
from gateway.binance_spot.decimals import SCALE
from gateway.doors.store.left import remains
from ops.config import decimal_text
from ops.console.model import Model
from ops.next_start import next_start
from ops.registry import numbers
from ops.state import StateError
from ops.telemetry import BoardRow, Listing

ALERT_LEVEL = 30
"""Lines of the log from here on: warnings and worse (logging)."""
ALERTS_MAX = 10


def of_engine(state: Path, model: Model) -> dict[str, Any]:
    """A complete look (ops.look). Amounts and prices as decimal text; ages in seconds."""
    about, now_ns = model.about, model.engine_ns(boottime_ns())
    assert about is not None, "a look without it is none"
    listings = {row.instrument: row for row in about.instruments}
    told: dict[str, Any] = {
        "alive": True,
        "state_directory": str(state),
        "pid": about.pid,
        "state": about.state,
        "phase": about.phase,
        "leader": about.leader,
        "venue": about.venue,
        "account": about.account,
        "strategy": about.strategy,
        "epoch": about.epoch,
        "up_s": round(max(now_ns - about.started_ns, 0) / 1e9, 1),
        "checkpoint_age_s": checkpoint_age_s(state),
        "alerts": _alerts(model),
    }
    if model.trading is not None:
        told["trading"] = _trading(model, listings)
    if model.upkeep is not None:
        told |= _upkeep(model, listings, now_ns)
    if model.board is not None:
        told["instruments"] = [
            _instrument(row, listings[row.instrument]) for row in model.board.rows if row.instrument in listings
        ]
        told["fees"] = _fees(model.board.fees, listings.values())
    if model.health is not None:
        told["counts"] = {name: count for name, count in model.health.counts if count}
    return told


def _trading(model: Model, listings: dict[int, Listing]) -> dict[str, Any]:
    assert model.trading is not None
    states = {named(scope, listings): state for scope, state in model.trading.states}
    reasons = [
        {"scope": named(scope, listings), "reason": name, "state": state, "text": text}
        for scope, name, state, text in model.trading.reasons
    ]
    return {
        "states": states,
        "reasons": reasons,
        "step": model.trading.step,
        "why": model.trading.why if model.trading.step else "",
        "late_ms": {name: round(value / 1e6, 1) for name, value in model.trading.late if value >= 0},
        "held_back": model.trading.held_back,
    }


def named(scope: str, listings: dict[int, Listing]) -> str:
    """A scope as people say it: a symbol, a strategy's name, or the engine."""
    kind, _, rest = scope.partition(":")
    if kind == "venue":
        return scope
    if kind == "instrument" and rest.isdigit() and int(rest) in listings:
        return listings[int(rest)].symbol
    return rest or scope


def _upkeep(model: Model, listings: dict[int, Listing], now_ns: int) -> dict[str, Any]:
    upkeep = model.upkeep
    assert upkeep is not None

    def symbol(number: int) -> str:
        return listings[number].symbol if number in listings else str(number)

    return {
        "orders": dict(upkeep.working),
        "unproven": [
            {"client_order_id": key, "symbol": symbol(number), "status": status}
            for key, number, status in upkeep.doubtful
        ],
        "shortfalls": dict(upkeep.shortfalls),
        "quarantined": upkeep.quarantined,
        "strange": list(upkeep.strange),
        "flattening": [symbol(number) for number in upkeep.flattening],
        "connections": {
            "order_entry": upkeep.order_entry,
            "private_stream": upkeep.private_stream,
            "feeds": [{"venue": venue, "symbols": count, "open": lines} for venue, count, lines in upkeep.feeds],
        },
        "budgets": [
            {"address": address, "kind": kind, "seconds": seconds, "used": used, "limit": limit}
            for address, kind, seconds, used, limit in upkeep.budgets
        ],
        "reconciled": [
            {"trigger": trigger, "age_s": round(max(now_ns - at_ns, 0) / 1e9, 1), "differences": differences}
            for trigger, at_ns, differences in upkeep.reconciled
        ],
        "ledger_compared_age_s": (
            round(max(now_ns - upkeep.ledger_compared_ns, 0) / 1e9, 1) if upkeep.ledger_compared_ns else None
        ),
    }


def _instrument(row: BoardRow, listing: Listing) -> dict[str, Any]:
    quote = listing.quote_scale
    return {
        "symbol": listing.symbol,
        "book": BookState(row.state).name,
        "reason": row.reason,
        "bid": decimal_text(row.bid, listing.price_scale),
        "ask": decimal_text(row.ask, listing.price_scale),
        "position": decimal_text(row.position, listing.base_scale),
        "realized": decimal_text(row.realized, quote),
        "unrealized": decimal_text(row.unrealized, quote),
        "quote_asset": listing.quote_asset,
    }


def _fees(fees: Iterable[tuple[str, int]], listings: Iterable[Listing]) -> dict[str, str]:
    """Decimal text by asset; of one that no instrument names, in the venue's own decimals."""
    scales: dict[str, int] = {}
    for row in listings:
        scales |= {row.base_asset: row.base_scale, row.quote_asset: row.quote_scale}
    return {asset: decimal_text(units, scales.get(asset, SCALE)) for asset, units in fees}


def _alerts(model: Model) -> list[str]:
    lines = model.log.lines if model.log is not None else ()
    told = [
        f"{time.strftime('%H:%M:%S', time.gmtime(line.wall_s))} {line.text}"
        for line in lines
        if line.level >= ALERT_LEVEL
    ]
    return told[-ALERTS_MAX:]


def checkpoint_age_s(state: Path) -> float | None:
    """Of the youngest checkpoint; None: there is none. None is taken while nothing is to be saved."""
    times = [path.stat().st_mtime for path in (state / "checkpoints").glob("*.checkpoint")]
    return round(max(time.time() - max(times), 0.0), 1) if times else None


def of_remains(state: Path, why: str) -> dict[str, Any]:
    """Of a directory whose engine shows nothing. why: in words. Never raises: what cannot be read is said."""
    told: dict[str, Any] = {"alive": False, "why": why, "state_directory": str(state)}
    try:
        names = {number: name for name, number in numbers(state / "instruments.json").items()}
        left = remains(state / "store.sqlite", state / "journal")
        begins = next_start(state, names)
    except (StateError, LogError, sqlite3.Error, OSError, ValueError) as error:
        return told | {"unreadable": str(error)}
    epoch = state / "epoch"
    return told | {
        "epoch": int(epoch.read_text()) if epoch.exists() and epoch.read_text().strip().isdigit() else 0,
        "last_record": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(left.last_ns / 1e9)) if left.last_ns else "",
        "checkpoint_age_s": checkpoint_age_s(state),
        "open_orders": [
            {
                "client_order_id": row.client_order_id,
                "symbol": names.get(row.instrument, str(row.instrument)),
                "side": row.side,
                "status": row.status,
            }
            for row in left.orders
        ],
        "next_start": begins,
        "positions_base_units": {names.get(number, str(number)): units for number, units in left.positions.items()},
    }

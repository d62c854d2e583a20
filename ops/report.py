"""What a run has to say for itself: the figures behind `run --json`, `demo --json` and the live line. Reads, never decides."""

from typing import Any

from bus.messages import Instrument
from gateway.doors.coordination.contract import Waiting
from ops.config import decimal_text
from ops.engine import Engine
from ops.node import resident_mb
from ops.telemetry.health import health

NO_BOOKS: dict[str, Any] = {"books": {}}
"""Of an engine whose books are on another host."""


def report(engine: Engine) -> dict[str, Any]:
    """The run's JSON object. `ledger`: asset -> decimal text, what the venue should say is ours."""
    views = engine.views()
    books = views.get("orderbook", NO_BOOKS)["books"]
    host = engine.host
    positions = {row.venue_symbol: _position(views, row) for row in engine.traded.values()}
    return {
        "frames": engine.feed.frames if hasattr(engine, "feed") else 0,
        "connections": engine.feed.view() if hasattr(engine, "feed") else [],
        "orders_sent": engine.order_door.orders_sent,
        "cancels_sent": engine.order_door.cancels_sent,
        "fills": _fills(engine, views),
        "position_base": next(iter(positions.values())),
        "positions": positions,
        "ledger": {asset: decimal_text(units, 8) for asset, units in views["portfolio"]["ledger"].items()},
        "pnl": _pnl(engine, views),
        "orders_refused": dict(engine.supervisor.refusals),
        "top_checks": sum(book["top_checks"] for book in books.values()),
        "top_mismatches": sum(book["top_mismatches"] for book in books.values()),
        "tick_to_order_us": _percentiles(engine.order_door.tick_to_order.to_summary()),
        "journal_us": _percentiles(engine.order_door.journal_time.to_summary()),
        "write_us": _percentiles(engine.order_door.write_time.to_summary()),
        "gc_pause_max_us": round(engine.collector.pause_max_us, 1),
        "rss_mb": {"at_10s": round(engine.rss_at_10s or resident_mb(), 1), "end": round(resident_mb(), 1)},
        "hops_us": {name: _percentiles(row.to_summary()) for name, row in host.histograms().items()},
        "unresolved_orders": engine.supervisor.unresolved,
        "kept_orders": engine.supervisor.kept,
        "positions_left": engine.positions_left,
        "epoch": engine.epoch,
        "host_losses": engine.neighbors.losses,
        "standstills": engine.standstill.count,
        "restarts": engine.supervision.intensity.total,
        "quarantines": engine.supervision.quarantines,
        "health": health(engine) | {"ledger_differences": sorted(engine.supervisor.differences)},
    }


def idle_report(engine: Engine) -> dict[str, Any]:
    """Of a run that never came to trade: it stood by until it was told to stop. leader: who led, "" when nobody known."""
    leader = engine.standby.leader
    return {
        "frames": 0,
        "orders_sent": 0,
        "cancels_sent": 0,
        "fills": 0,
        "unresolved_orders": 0,
        "epoch": 0,
        "leader": leader.holder if leader is not None else "",
    }


def live_line(engine: Engine, seconds: int) -> str:
    """One line a second for a terminal."""
    views = engine.views()
    books = views.get("orderbook", NO_BOOKS)["books"]
    parts, traded = [f"{seconds:5d}s"], engine.traded
    for instrument in engine.instruments.values():
        book = books.get(instrument.instrument, {})
        touch = book.get("touch")
        prices = "/".join(decimal_text(price, instrument.price_scale) for price in touch[::2]) if touch else "no book"
        position = f" pos {_position(views, instrument)}" if instrument.instrument in traded else ""
        parts.append(f"{engine.supervisor.symbols[instrument.instrument]} {prices}{position}")
    latency = engine.order_door.tick_to_order.to_summary()
    refused = sum(engine.supervisor.refusals.values())
    parts.append(f"orders {engine.order_door.orders_sent}" + (f" refused {refused}" if refused else ""))
    parts.append(f"fills {_fills(engine, views)} working {views['orders']['working']}")
    parts.append(f"pnl {' '.join(_total_pnl(engine, views))}")
    if latency["count"]:
        parts.append(f"tick-to-order p50 {latency['p50']:.0f} p99 {latency['p99']:.0f} us")
    parts.append(engine.supervisor.trading["engine"].name)
    return "  ".join(parts)


def standing_by_line(waiting: Waiting) -> str:
    """Whom a standby waits for; and that it cannot know better while the store does not answer."""
    leader = waiting.leader
    if waiting.trouble:
        last = f"{leader.holder} led when it last answered" if leader is not None else "who leads is not known"
        return f"standing by: the store cannot be asked ({waiting.trouble}); {last}"
    return "standing by: " + (
        f"{leader.holder} leads (epoch {leader.epoch})" if leader is not None else "nobody is known to lead"
    )


def summary(result: dict[str, Any]) -> str:
    """The end of a run in three lines, for a person."""
    tick, checks = result["tick_to_order_us"], result["top_checks"]
    positions = ", ".join(f"{symbol} {text}" for symbol, text in result["positions"].items())
    pnl = ", ".join(f"{symbol} {row['realized']} {row['asset']}" for symbol, row in result["pnl"].items())
    return (
        f"{result['frames']} frames, {result['orders_sent']} orders, {result['fills']} fills; positions: {positions}\n"
        f"realized: {pnl or 'nothing'}\n"
        f"tick to order p50 {tick['p50']} p99 {tick['p99']} us; {checks} tops checked, {result['top_mismatches']} wrong"
    )


def _fills(engine: Engine, views: dict[str, dict[str, Any]]) -> int:
    """Of this run; the portfolio counts them over the life of the state directory."""
    return int(views["portfolio"]["fills"]) - engine.fills_before


def _pnl(engine: Engine, views: dict[str, dict[str, Any]]) -> dict[str, dict[str, str]]:
    """By symbol, decimal text in the quote asset, over the life of the state directory."""
    rows = views["portfolio"]["pnl"]
    return {
        row.venue_symbol: {
            "asset": row.quote_asset,
            "realized": decimal_text(rows[row.venue_symbol]["realized"], row.quote_scale),
            "unrealized": decimal_text(rows[row.venue_symbol]["unrealized"], row.quote_scale),
        }
        for row in engine.traded.values()
        if row.venue_symbol in rows
    }


def _total_pnl(engine: Engine, views: dict[str, dict[str, Any]]) -> list[str]:
    """Realized and unrealized together, by quote asset."""
    rows, totals = views["portfolio"]["pnl"], dict[tuple[str, int], int]()
    for row in engine.traded.values():
        pnl = rows.get(row.venue_symbol, {"realized": 0, "unrealized": 0})
        key = (row.quote_asset, row.quote_scale)
        totals[key] = totals.get(key, 0) + pnl["realized"] + pnl["unrealized"]
    return [f"{decimal_text(units, scale)} {asset}" for (asset, scale), units in totals.items()]


def _position(views: dict[str, dict[str, Any]], instrument: Instrument) -> str:
    row = views["portfolio"]["positions"].get(instrument.instrument)
    return decimal_text(row["position"] if row else 0, instrument.base_scale)


def _percentiles(summary: dict[str, float]) -> dict[str, float]:
    return {name: round(summary[name], 1) for name in ("p50", "p99", "p999", "max")}

"""The result of a run of kills: its figures, and what it must show. Pure."""

from typing import Any

from ops.chaos.judge import percentile
from ops.chaos.kills.engine import Engine, units
from ops.chaos.kills.plan import POINTS, Way
from ops.chaos.kills.verdict import Verdict
from ops.config import decimal_text

ORDERS_A_KILL, FILLS_A_KILL = 20, 2
"""On average; less proves too little."""
COMPARED = (
    "lost_fills", "duplicate_fills", "invented_fills", "orphaned_orders", "duplicate_orders", "unknown_orders",
    "limit_violations",
)  # fmt: skip
"""What must be 0."""


def figures(engine: Engine, verdict: Verdict | None, kills: int, seed: int, seconds: float) -> dict[str, Any]:
    """The JSON object of `touchline chaos --kills`, without its problems. verdict None: it never came to the comparison."""
    log = engine.stage.log
    found: dict[str, Any] = {
        "kills": kills,
        "kills_by_point": {str(way): engine.hits[way] for way in Way if engine.hits[way] or way in POINTS},
        "kills_by_venue": sum(engine.hits[way] for way in POINTS),
        "kills_during_recovery": engine.in_recovery,
        "kills_during_checkpoint": engine.in_checkpoint,
        "orders_in_flight_at_kill": engine.in_flight,
        "restarts": engine.starts - 1,
        "orders": verdict.orders if verdict else sum(order.accepted for order in log.orders),
        "fills": verdict.fills if verdict else len(log.trades),
        "burst_fills": engine.burst_fills,
    }
    found |= {name: getattr(verdict, name) if verdict else None for name in COMPARED}
    return found | {
        "position_difference": decimal_text(verdict.position_difference, 8) if verdict else None,
        "ledger_equal": verdict.ledger_equal if verdict else None,
        "recovery_ms": {
            name: _rounded(percentile(engine.recovered_ms, share)) for name, share in (("p50", 0.5), ("p95", 0.95))
        },
        "seed": seed,
        "seconds": round(seconds, 1),
        "ended_by_itself": len(engine.own_ends),
        "unresolved_stops": engine.unresolved_stops,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def shortcomings(found: dict[str, Any]) -> list[str]:
    """What a run must show and this one did not; empty: it held."""
    kills, hits = found["kills"], found["kills_by_point"]
    sheltered = found["kills_during_recovery"] + found["kills_during_checkpoint"]
    fills = found["fills"] - found["burst_fills"]
    rules = [(not found[name], f"{name} is {found[name]}") for name in COMPARED]
    rules += [
        (found["ledger_equal"] is not False, "the ledger differs from the venue's"),
        (found["ledger_equal"] is not None, "no ledger could be compared"),
        (not units(found["position_difference"] or "0"), f"positions differ by {found['position_difference']}"),
        *((hits.get(way, 0) > 0, f"no kill hit {way}") for way in POINTS),
        (2 * found["kills_by_venue"] >= kills, "fewer than half of the kills were fired by the venue"),
        (3 * sheltered >= kills, "fewer than a third of the kills hit in recovery or in a checkpoint"),
        (found["orders"] >= ORDERS_A_KILL * kills, f"fewer than {ORDERS_A_KILL} orders a kill"),
        (fills >= FILLS_A_KILL * kills, f"fewer than {FILLS_A_KILL} fills a kill"),
    ]
    return [text for held, text in rules if not held]

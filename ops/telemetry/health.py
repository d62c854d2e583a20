"""What can be wrong with a running engine, as counters: for the report at the end and the console while it runs."""

from typing import TYPE_CHECKING

from bus.messages import AlertLevel

if TYPE_CHECKING:
    from ops.engine import Engine


def health(engine: "Engine") -> dict[str, int | float]:
    """Cheap enough to ask between two ticks. Every figure is a count since the start, or says its unit."""
    host, door, collector, alerts = engine.host, engine.order_door, engine.collector, engine.supervisor.alerts
    feed = next((actor.view() for actor in engine.actors if actor.name == "market_data"), {})  # else on another host
    return {
        "frames": feed.get("frames", 0),
        "gaps": feed.get("gaps", 0),
        "resyncs": feed.get("resyncs", 0),
        "dropped_inputs": host.dropped_inputs,
        "orders_sent": door.orders_sent,
        "cancels_sent": door.cancels_sent,
        "orders_refused": sum(engine.supervisor.refusals.values()),
        "requests_refused_by_door": door.refused,
        "ambiguous_answers": door.ambiguous,
        "actor_failures": host.failures,
        "undecodable": host.undecodable,
        "cut_cascades": host.cut_cascades,
        "journal_failures": host.journal_failures,
        "input_log_failures": host.input_log_failures,
        "index_behind": engine.index.behind,
        "ledger_differences": len(engine.supervisor.differences),
        "alerts_warning": alerts[AlertLevel.WARNING],
        "alerts_critical": alerts[AlertLevel.CRITICAL],
        "stalls": engine.stalls,
        "stall_max_s": round(engine.stall_max_s, 3),
        "gc_pause_max_us": round(collector.pause_max_us, 1),
        "gc_passes": sum(collector.passes.values()),
    }

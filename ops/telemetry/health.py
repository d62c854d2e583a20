"""What can be wrong with a running engine, as counters: for the report at the end and the console while it runs."""

from typing import TYPE_CHECKING, Any

from bus.messages import AlertLevel

if TYPE_CHECKING:
    from ops.node import Node

OF_FEEDS = (
    "frames", "gaps", "resyncs", "rolls", "reordered", "duplicates", "stale", "silences", "conflated",
    "trades_missed", "trades_backfilled", "trades_repeated", "trades_restarted",
)  # fmt: skip
"""What market data counts and people should see; its view has the rest."""


def health(node: "Node") -> dict[str, int | float]:
    """Cheap enough to ask between two ticks. Every figure is a count since the start, or says its unit."""
    host, collector, alerts = node.host, node.collector, node.supervisor.alerts
    feed = next((actor.view() for actor in node.actors if actor.name == "market_data"), {})
    return {
        **{name: feed[name] for name in OF_FEEDS if name in feed},
        "connections_down": node.feed.down if hasattr(node, "feed") else 0,
        "dropped_inputs": host.dropped_inputs,
        "frame_age_p99_us": round(host.edge.ages.quantile(0.99) / 1e3, 1),
        "frame_age_max_us": round(host.edge.ages.max_ns / 1e3, 1),
        "frame_batches": host.edge.batches,
        "frames_batched": host.edge.batched,
        **_of_orders(node),
        "actor_failures": host.failures,
        "undecodable": host.undecodable,
        "cut_cascades": host.cut_cascades,
        "journal_failures": host.journal_failures,
        "input_log_failures": host.input_log_failures,
        "ledger_differences": len(node.supervisor.differences),
        "alerts_warning": alerts[AlertLevel.WARNING],
        "alerts_critical": alerts[AlertLevel.CRITICAL],
        "stalls": node.stalls,
        "stall_max_s": round(node.stall_max_s, 3),
        "gc_pause_max_us": round(collector.pause_max_us, 1),
        "gc_passes": sum(collector.passes.values()),
    }


def _of_orders(engine: Any) -> dict[str, int]:
    """Only the host that trades has an order door and a journal: it is asked for them, so that one page serves all hosts."""
    if not hasattr(engine, "order_door"):
        return {}
    door = engine.order_door
    return {
        "orders_sent": door.orders_sent,
        "cancels_sent": door.cancels_sent,
        "orders_refused": sum(engine.supervisor.refusals.values()),
        "requests_refused_by_door": door.refused,
        "ambiguous_answers": door.ambiguous,
        "index_behind": engine.records.index.behind,
    }

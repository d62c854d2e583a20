"""One scenario from start to verdict: play it, stop everybody, and let the venue's log speak."""

from typing import Any

import aiohttp
import msgspec

from ops.chaos.cast import Instance
from ops.chaos.judge import Figures, Placement, figures, percentile, problems
from ops.chaos.scenarios import SCENARIOS
from ops.chaos.stage import NothingHappened, Settings, Stage
from ops.chaos.venue_log import EvidenceLost


async def play(name: str, settings: Settings) -> dict[str, Any]:
    """The JSON object of `touchline chaos`; `problems` is empty when all of it held. Raises ChaosFailed, DemoFailed."""
    scenario, accounts = SCENARIOS[name]
    async with Stage(settings, accounts) as stage:
        ledger_equal: bool | None = None
        try:
            leaders = await scenario(stage)
            ledger_equal = await stage.curtain(leaders)
            _count_trades(stage, leaders)
        except (NothingHappened, EvidenceLost) as finding:
            stage.problems.append(str(finding))
        except aiohttp.ClientError as error:
            stage.problems.append(f"the venue's log cannot be read: {error}")
        ours = [stage.credentials(number)[0] for number in range(1, accounts + 1)]
        found = figures(stage.log.orders, stage.log.trades, ours, stage.faults)
        return _result(name, settings, stage, found, ledger_equal)


def _count_trades(stage: Stage, leaders: list[Instance]) -> None:
    """What the engines say of their tape; of scenarios that are about feeds."""
    if stage.books is not None:
        healths = [stage.reports[instance.name].get("health", {}) for instance in leaders]
        stage.books.trades_missed = sum(health.get("trades_missed", 0) for health in healths)
        stage.books.trades_backfilled = sum(health.get("trades_backfilled", 0) for health in healths)


def _result(name: str, settings: Settings, stage: Stage, found: Figures, ledger_equal: bool | None) -> dict[str, Any]:
    return {
        "scenario": name,
        "rounds": settings.rounds,
        "backend": settings.backend,
        "ttl_ms": settings.ttl_ms,
        "seed": settings.seed,
        "unprotected": settings.unprotected,
        "stale_epoch_orders_received": found.stale_received,
        "stale_epoch_orders_accepted": found.stale_accepted,
        "stale_epoch_fills": found.stale_fills,
        "self_trades": found.self_trades,
        "both_traded_overlap_ms": round(found.overlap_ms, 1),
        "takeover_ms": {
            "count": len(found.takeovers_ms),
            "p50": _rounded(percentile(found.takeovers_ms, 0.5)),
            "p95": _rounded(percentile(found.takeovers_ms, 0.95)),
        },
        "ledger_equal": ledger_equal,
        "increasing_in_cooldown": stage.increasing_in_cooldown,
        "books": None if stage.books is None else msgspec.to_builtins(stage.books),
        "instances": _instances(stage),
        "problems": [
            *stage.problems,
            *problems(found, ledger_equal, settings.ttl_ms, stage.increasing_in_cooldown),
            *(stage.books.problems() if stage.books is not None else ()),
        ],
    }


def _instances(stage: Stage) -> dict[str, dict[str, Any]]:
    """By the venue's log: whose order is whose by its epoch."""
    return {
        instance.name: {
            "epochs": instance.epochs(),
            "orders": sum(_is_of(order, instance.account, instance.epochs()) for order in stage.log.orders),
            "accepted": sum(_is_of(order, instance.account, instance.epochs()) and order.accepted for order in stage.log.orders),
            "fills": stage.log.fills(instance.account, instance.epochs()),
            "refused_by_itself": stage.reports.get(instance.name, {}).get("orders_refused", {}),
        }
        for instance in stage.instances
    }  # fmt: skip


def _is_of(order: Placement, account: str, epochs: list[int]) -> bool:
    return order.account == account and order.epoch in epochs


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)

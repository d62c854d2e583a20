"""The events of the user data stream in the venue's words (user-data-stream.md). Pure."""

from collections.abc import Iterable

from ..core.decimals import decimal_text, quote_amount
from ..core.orders import Execution, PreventedMatch
from ..payload import Instant, Payload
from .payloads import ZERO


def execution_report(execution: Execution, now_ns: int) -> Payload:
    order = execution.order
    payload: Payload = {
        "e": "executionReport",
        "E": Instant(now_ns),
        "s": order.symbol,
        "c": execution.client_order_id,
        "S": order.side,
        "o": order.order_type,
        "f": order.time_in_force,
        "q": decimal_text(execution.quantity),
        "p": decimal_text(order.price),
        "P": decimal_text(order.stop_price) if order.stop_price else ZERO,
        "F": ZERO,
        "g": -1,
        "C": execution.original_client_order_id,
        "x": execution.kind,
        "X": execution.status,
        "r": execution.reject_reason,
        "i": order.order_id,
        "l": decimal_text(execution.last_quantity),
        "z": decimal_text(execution.executed),
        "L": decimal_text(execution.last_price),
        "n": decimal_text(execution.fee) if execution.fee_asset else "0",
        "N": execution.fee_asset,
        "T": Instant(execution.time_ns),
        "t": execution.trade_id,
        "I": execution.execution_id,
        "w": execution.is_on_book,
        "m": execution.is_maker,
        "M": False,
        "O": Instant(order.created_ns),
        "Z": decimal_text(execution.quote_executed),
        "Y": decimal_text(quote_amount(execution.last_price, execution.last_quantity)),
        "Q": decimal_text(order.quote_quantity) if order.quote_quantity else ZERO,
    }
    if execution.working_ns:
        payload["W"] = Instant(execution.working_ns)
    payload["V"] = order.prevention
    if order.strategy is not None:
        payload |= _strategy(order.strategy.strategy_id, order.strategy.strategy_type)
    if execution.expiry_reason:
        payload["eR"] = execution.expiry_reason
    if execution.prevented is not None:
        payload |= _prevention(execution, execution.prevented)
    return payload


def _strategy(strategy_id: int | None, strategy_type: int | None) -> Payload:
    return {name: value for name, value in (("j", strategy_id), ("J", strategy_type)) if value is not None}


def _prevention(execution: Execution, match: PreventedMatch) -> Payload:
    order_id = execution.order.order_id
    return {
        "v": match.match_id,
        "A": decimal_text(execution.prevented_total),
        "B": decimal_text(match.prevented_of(order_id)),
        "u": match.trade_group,
        "U": match.counter_of(order_id),
        "Cs": match.symbol,
        "pl": decimal_text(match.quantity),
        "pL": decimal_text(match.price),
        "pY": decimal_text(quote_amount(match.price, match.quantity)),
    }


def account_position(balances: Iterable[tuple[str, int, int]], now_ns: int) -> Payload:
    """`balances`: (asset, free, locked) of what moved."""
    return {
        "e": "outboundAccountPosition",
        "E": Instant(now_ns),
        "u": Instant(now_ns),
        "B": [{"a": a, "f": decimal_text(free), "l": decimal_text(locked)} for a, free, locked in balances],
    }


def balance_update(asset: str, delta: int, now_ns: int) -> Payload:
    return {
        "e": "balanceUpdate",
        "E": Instant(now_ns),
        "a": asset,
        "d": decimal_text(delta),
        "T": Instant(now_ns),
    }


def stream_terminated(now_ns: int) -> Payload:
    return {"e": "eventStreamTerminated", "E": Instant(now_ns)}

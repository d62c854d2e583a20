"""The money as it truly is: balances, positions, every change of a balance, and whether all of it adds up. Pure."""

from .core.decimals import decimal_text
from .core.ledger import Entry
from .core.matching import MatchingEngine
from .payload import Json, Payload
from .spot.payloads import order_status
from .usdm.margin import CLEARING, Margin


def ledger(engine: MatchingEngine) -> Json:
    """Every account's balances, the open orders of all but the background, and whether it all adds up."""
    kept, money = engine.ledger, engine.settlement
    imbalances = kept.imbalances()
    told: Payload = {
        "adds_up": not imbalances,
        "imbalances": {asset: decimal_text(amount) for asset, amount in imbalances.items()},
        "trades": engine.trade_count,
        "accounts": {
            account: {
                asset: {"free": decimal_text(free[asset]), "locked": decimal_text(kept.locked[account][asset])}
                for asset in kept.assets(account)
            }
            for account, free in kept.free.items()
        },
        "open_orders": [order_status(o) | {"account": o.account} for o in engine.registry.client_orders()],
    }
    if isinstance(money, Margin):
        told["positions"] = _positions(money)
        told["adds_up"] = not imbalances and money.costs() + money.wallet(CLEARING) == 0
    return told


def _positions(money: Margin) -> Json:
    """Every account's but what is flat. `cost` is what the quantity was opened for; both are negative for a short one."""
    return {
        account: [
            {
                "symbol": symbol,
                "side": side,
                "quantity": decimal_text(position.quantity),
                "cost": decimal_text(position.cost),
                "entry_price": decimal_text(position.entry_price),
                "mark_price": decimal_text(money.marks[symbol]),
                "unrealized": decimal_text(position.unrealized(money.marks[symbol])),
                "realized": decimal_text(position.realized),
            }
            for (symbol, side), position in held.positions.items()
            if position.quantity
        ]
        for account, held in money.accounts.items()
    }


def entry(row: Entry) -> Json:
    """One change of one balance, as what was added to it."""
    return {
        "number": row.number,
        "time_ns": row.time_ns,
        "account": row.account,
        "asset": row.asset,
        "free": decimal_text(row.free),
        "locked": decimal_text(row.locked),
        "reason": row.reason,
        "order_id": row.order_id,
        "trade_id": row.trade_id,
    }

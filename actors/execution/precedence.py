"""Who outranks whom in one instrument: operator, then exits, then strategies. Pure.

While a wish of an owner of rank is in force (lots above 0, not expired), the desks below are held at nothing: what
rests is canceled, their wishes are turned down and counted. When it ends they may quote again with their next wish.
"""

from actors.execution.slots import Desk, Market

OPERATOR = "operator"
RANKS = {OPERATOR: 2, "exits": 1}
"""By owner; every other owner is a strategy, rank 0. The configuration keeps strategies from taking these names."""


def rank_of(owner: str) -> int:
    return RANKS.get(owner, 0)


def rules(desk: Desk, now_ns: int) -> bool:
    target = desk.target
    return (
        desk.rank > 0 and target is not None and (target.bid_lots or target.ask_lots) > 0 and now_ns < target.expires_ns
    )


def ruling_rank(market: Market, now_ns: int) -> int:
    """The highest rank that rules; 0: nobody. Looked up only while `market.ruled` says that there may be one."""
    rank = 0
    for desk in market.desks:
        if desk.rank > rank and rules(desk, now_ns):
            rank = desk.rank
    market.ruled = rank > 0
    return rank

"""STRATEGY. The user's code and its host: signals in, quote intents out. Touches nothing.

Subclass `Strategy`, ask the `Context`; `examples/join_touch.py` is a whole strategy to start from. Reading order: strategy,
context, prices, user (the one place that calls it), state, actor.
"""

from actors.strategy.actor import StrategyActor
from actors.strategy.context import Context
from actors.strategy.prices import price_of, ticks_aggressive, ticks_passive
from actors.strategy.state import StrategySettings, StrategyState
from actors.strategy.strategy import Strategy
from actors.strategy.user import StrategyFailed, UserCode

__all__ = [
    "Context",
    "Strategy",
    "StrategyActor",
    "StrategyFailed",
    "StrategySettings",
    "StrategyState",
    "UserCode",
    "price_of",
    "ticks_aggressive",
    "ticks_passive",
]

"""EXECUTION. Quote intents in; order and cancel commands out. Keeps what works where. Touches nothing.

Reading order: slots and phases (what is kept), actor (wishes, and what stops them), planner with precedence, pricing and
steady (which order, whose, where), moves, outcomes and sweep (what market, venue and time do to it), register, queue, queues.
"""

from actors.execution.actor import Execution
from actors.execution.precedence import RANKS
from actors.execution.settings import ExecutionSettings
from actors.execution.slots import ExecutionState

__all__ = ["RANKS", "Execution", "ExecutionSettings", "ExecutionState"]

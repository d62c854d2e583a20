"""EXECUTION. Quote intents in; order and cancel commands out. Keeps what works where. Touches nothing."""

from actors.execution.actor import Execution
from actors.execution.precedence import RANKS
from actors.execution.settings import ExecutionSettings
from actors.execution.slots import ExecutionState

__all__ = ["RANKS", "Execution", "ExecutionSettings", "ExecutionState"]

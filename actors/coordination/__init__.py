"""COORDINATION. What instances agree on: terms of leadership, cooldowns, self-trade bands. Pure: touches nothing."""

from actors.coordination.actor import Coordination

__all__ = ["Coordination"]

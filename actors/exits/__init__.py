"""EXITS. Positions and signals in; reduce-only wishes that outrank the strategy's out. Pure: touches nothing."""

from actors.exits.actor import Exits

__all__ = ["Exits"]

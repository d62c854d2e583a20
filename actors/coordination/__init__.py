"""COORDINATION. What instances agree on: terms of leadership, cooldowns, self-trade bands. Pure: touches nothing.

phases     what a term allows, as a table
bands      what our scope may rest at, so that no order of ours meets another instance's
cooldowns  pauses of one instrument for all instances
account    what a successor must know, left for it
desk       what these share
"""

from actors.coordination.actor import Coordination
from actors.coordination.bands import ALL
from actors.coordination.phases import PHASES, Event, Phase
from actors.coordination.settings import CoordinationSettings

__all__ = ["ALL", "PHASES", "Coordination", "CoordinationSettings", "Event", "Phase"]

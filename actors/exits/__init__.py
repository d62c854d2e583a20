"""EXITS. Positions and signals in; reduce-only wishes that outrank the strategy's out. Pure: touches nothing.

phases      what follows what, as a table; which losses ask for a pause
thresholds  the prices that decide: target, break-even, stop, with the formula of the fees
triggers    which of them the market has reached
wishes      the one order that closes
entry       fees of the entry, folded from fills
closer      steps through the table and wishes
flatten     beside all that: the way out at a person's word
words       what that person is told
actor       takes messages, keeps a watch an instrument
"""

from actors.exits.actor import Exits
from actors.exits.flatten import FlattenSettings
from actors.exits.settings import ExitsSettings
from actors.exits.wishes import OrderMax

__all__ = ["Exits", "ExitsSettings", "FlattenSettings", "OrderMax"]

"""RISK. Order commands in; approved orders or refusals out; the trading states; the kill switch. Touches nothing.

Reading order: actor (the decision), checks and limits; facts, exposure, sums and holds (the worst case); states and causes
(the tables), switch, losses; watch and ladder (lateness), storms, repeats and window (too much of one thing); people (alerts
and answers), state, view.
"""

from actors.risk.actor import Risk
from actors.risk.limits import COUNTED_MAX, THRESHOLDS, AccountLimits, LatencyLimits, RiskLimits
from actors.risk.state import RiskState
from actors.risk.states import PASSES, Command
from actors.risk.switch import ORDERED, Switch

__all__ = [
    "COUNTED_MAX",
    "ORDERED",
    "PASSES",
    "THRESHOLDS",
    "AccountLimits",
    "Command",
    "LatencyLimits",
    "Risk",
    "RiskLimits",
    "RiskState",
    "Switch",
]

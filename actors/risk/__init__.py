"""RISK. Order commands in; approved orders or refusals out; the trading states; the kill switch. Touches nothing."""

from actors.risk.actor import Risk, RiskState
from actors.risk.limits import AccountLimits, RiskLimits
from actors.risk.states import PASSES, Command

__all__ = ["PASSES", "AccountLimits", "Command", "Risk", "RiskLimits", "RiskState"]

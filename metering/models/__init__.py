"""Tables of metering, by noun."""

from metering.models.invocations import Invocation, LedgerFile
from metering.models.usage import DailyUsage, HourlyTotal, HourlyUsage, RollUp

__all__ = ["DailyUsage", "HourlyTotal", "HourlyUsage", "Invocation", "LedgerFile", "RollUp"]

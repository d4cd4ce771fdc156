"""Tables of metering, by noun."""

from metering.models.invocations import Invocation, LedgerFile
from metering.models.usage import By, Grain, HourlyUsage, RollUp, UsageTotal, version_value

__all__ = ["By", "Grain", "HourlyUsage", "Invocation", "LedgerFile", "RollUp", "UsageTotal", "version_value"]

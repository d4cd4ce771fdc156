"""Tables of metering, by noun."""

from metering.models.invocations import Invocation, LedgerFile
from metering.models.observed import ObservedEndpoint, ObservedProgress, ObservedSource, ObservedUsage
from metering.models.usage import DailyUsage, HourlyTotal, HourlyUsage, RollUp

__all__ = [
    "DailyUsage",
    "HourlyTotal",
    "HourlyUsage",
    "Invocation",
    "LedgerFile",
    "ObservedEndpoint",
    "ObservedProgress",
    "ObservedSource",
    "ObservedUsage",
    "RollUp",
]

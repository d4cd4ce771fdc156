"""Tables of metering, by noun."""

from metering.models.hosting import EndpointHour, IdlePolicy, Method
from metering.models.invocations import Invocation, LedgerFile
from metering.models.usage import By, Grain, HourlyUsage, RollUp, UsageTotal, version_value

__all__ = [
    "By",
    "EndpointHour",
    "Grain",
    "HourlyUsage",
    "IdlePolicy",
    "Invocation",
    "LedgerFile",
    "Method",
    "RollUp",
    "UsageTotal",
    "version_value",
]

"""Tables of metering, by noun."""

from metering.models.hosting import EndpointHour, IdlePolicy, Method
from metering.models.invocations import Invocation, LedgerFile
from metering.models.observed import ObservedEndpoint, ObservedProgress, ObservedSource, ObservedUsage
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
    "ObservedEndpoint",
    "ObservedProgress",
    "ObservedSource",
    "ObservedUsage",
    "RollUp",
    "UsageTotal",
    "version_value",
]

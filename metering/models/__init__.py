"""Tables of metering, by noun."""

from metering.models.invocations import Invocation, LedgerFile
from metering.models.prices import UNITS, Discount, ExchangeRate, Price, PriceSource, Service, Unit
from metering.models.usage import DailyUsage, HourlyTotal, HourlyUsage, RollUp

__all__ = [
    "UNITS",
    "DailyUsage",
    "Discount",
    "ExchangeRate",
    "HourlyTotal",
    "HourlyUsage",
    "Invocation",
    "LedgerFile",
    "Price",
    "PriceSource",
    "RollUp",
    "Service",
    "Unit",
]

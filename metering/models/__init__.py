"""Tables of metering, by noun."""

from metering.models.alerts import Alert, AlertKind, AlertMail, MailState
from metering.models.budgets import Budget, BudgetScope, Spend
from metering.models.hosting import EndpointHour, IdlePolicy, Method
from metering.models.invocations import Invocation, LedgerFile
from metering.models.observed import EngineHour, ObservedEndpoint, ObservedProgress, ObservedSource, ObservedUsage
from metering.models.prices import UNITS, Discount, ExchangeRate, Price, PriceSource, Service, Unit
from metering.models.reconciliation import BillImport, BillLayout, BillLine, BillSubject
from metering.models.statements import Adjustment, AdjustmentKind, ClosedMonth, Statement, StatementState
from metering.models.stored import StorageHour, StorageListing
from metering.models.usage import By, Grain, HourlyUsage, RollUp, UsageTotal, version_value

__all__ = [
    "UNITS",
    "Adjustment",
    "AdjustmentKind",
    "Alert",
    "AlertKind",
    "AlertMail",
    "BillImport",
    "BillLayout",
    "BillLine",
    "BillSubject",
    "Budget",
    "BudgetScope",
    "By",
    "ClosedMonth",
    "Discount",
    "EndpointHour",
    "EngineHour",
    "ExchangeRate",
    "Grain",
    "HourlyUsage",
    "IdlePolicy",
    "Invocation",
    "LedgerFile",
    "MailState",
    "Method",
    "ObservedEndpoint",
    "ObservedProgress",
    "ObservedSource",
    "ObservedUsage",
    "Price",
    "PriceSource",
    "RollUp",
    "Service",
    "Spend",
    "Statement",
    "StatementState",
    "StorageHour",
    "StorageListing",
    "Unit",
    "UsageTotal",
    "version_value",
]

"""The columns of FOCUS 1.3's dataset Cost and Usage that this site has, and its own, in the order of the file.

Source: https://focus.finops.org/focus-specification/v1-3/. Left out are recommended columns that would always be
empty, and conditional ones whose condition this site does not meet, such as those of commitment discounts.
"""

from dataclasses import dataclass
from enum import StrEnum

VERSION = "1.3"
SCHEMA_CREATED = "2026-11-29T00:00:00Z"
"""Since when a file has these columns. It changes with them."""


class Type(StrEnum):
    STRING = "String"
    DECIMAL = "Decimal"
    TIME = "Date/Time"
    JSON = "JSON"


class Level(StrEnum):
    """How far the specification demands a column; `CUSTOM` are this site's own."""

    MANDATORY = "Mandatory"
    CONDITIONAL = "Conditional"
    RECOMMENDED = "Recommended"
    CUSTOM = "Custom"


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column by its ID. `allowed` is empty where the specification allows any value."""

    name: str
    type: Type = Type.STRING
    level: Level = Level.MANDATORY
    nullable: bool = False
    allowed: frozenset[str] = frozenset()


def _split(name: str, type_: Type = Type.STRING, level: Level = Level.CONDITIONAL) -> Column:
    return Column(name=name, type=type_, level=level, nullable=True)


def _conditional(name: str, type_: Type = Type.STRING) -> Column:
    return Column(name=name, type=type_, level=Level.CONDITIONAL, nullable=True)


def _custom(name: str, type_: Type = Type.STRING) -> Column:
    return Column(name=name, type=type_, level=Level.CUSTOM, nullable=True)


CATEGORIES = frozenset({"Usage", "Purchase", "Tax", "Credit", "Adjustment"})
CLASSES = frozenset({"Correction"})
FREQUENCIES = frozenset({"One-Time", "Recurring", "Usage-Based"})
PRICING = frozenset({"Standard", "Dynamic", "Committed", "Other"})
SERVICES = frozenset({
    "AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases", "Developer Tools",
    "Multicloud", "Identity", "Integration", "Internet of Things", "Management and Governance", "Media", "Migration",
    "Mobile", "Networking", "Security", "Storage", "Web", "Other",
})  # fmt: skip
OF_AI = frozenset({
    "AI Platforms", "Bots", "Generative AI", "Machine Learning", "Natural Language Processing",
    "Other (AI and Machine Learning)",
})  # fmt: skip
"""Subcategories of AI and Machine Learning."""
SUBCATEGORIES = OF_AI | {"Object Storage"}

COLUMNS = (
    _split("AllocatedMethodDetails", Type.JSON, Level.RECOMMENDED),
    _split("AllocatedMethodId"),
    _split("AllocatedResourceId"),
    _split("AllocatedResourceName"),
    _split("AllocatedTags", Type.JSON),
    Column(name="BilledCost", type=Type.DECIMAL),
    Column(name="BillingAccountId"),
    Column(name="BillingAccountName", nullable=True),
    Column(name="BillingCurrency"),
    Column(name="BillingPeriodEnd", type=Type.TIME),
    Column(name="BillingPeriodStart", type=Type.TIME),
    Column(name="ChargeCategory", allowed=CATEGORIES),
    Column(name="ChargeClass", nullable=True, allowed=CLASSES),
    Column(name="ChargeDescription", nullable=True),
    Column(name="ChargeFrequency", level=Level.RECOMMENDED, allowed=FREQUENCIES),
    Column(name="ChargePeriodEnd", type=Type.TIME),
    Column(name="ChargePeriodStart", type=Type.TIME),
    _conditional("ConsumedQuantity", Type.DECIMAL),
    _conditional("ConsumedUnit"),
    Column(name="ContractedCost", type=Type.DECIMAL),
    _conditional("ContractedUnitPrice", Type.DECIMAL),
    Column(name="EffectiveCost", type=Type.DECIMAL),
    Column(name="HostProviderName"),
    Column(name="InvoiceIssuerName"),
    Column(name="ListCost", type=Type.DECIMAL),
    _conditional("ListUnitPrice", Type.DECIMAL),
    Column(name="PricingCategory", level=Level.CONDITIONAL, nullable=True, allowed=PRICING),
    Column(name="PricingQuantity", type=Type.DECIMAL, nullable=True),
    Column(name="PricingUnit", nullable=True),
    Column(name="ProviderName"),
    Column(name="PublisherName"),
    _conditional("RegionId"),
    _conditional("RegionName"),
    _conditional("ResourceId"),
    _conditional("ResourceName"),
    _conditional("ResourceType"),
    Column(name="ServiceCategory", allowed=SERVICES),
    Column(name="ServiceName"),
    Column(name="ServiceProviderName"),
    Column(name="ServiceSubcategory", level=Level.RECOMMENDED, allowed=SUBCATEGORIES),
    _conditional("SkuId"),
    _conditional("SkuMeter"),
    _conditional("SkuPriceDetails", Type.JSON),
    _conditional("SkuPriceId"),
    _conditional("SubAccountId"),
    _conditional("SubAccountName"),
    _conditional("Tags", Type.JSON),
    _custom("x_CallCount", Type.DECIMAL),
    _custom("x_CostPart"),
    _custom("x_InputTokenCount", Type.DECIMAL),
    _custom("x_OrganisationId"),
    _custom("x_OrganisationName"),
    _custom("x_OriginChargeId"),
    _custom("x_OutputTokenCount", Type.DECIMAL),
    _custom("x_PaidTo"),
    _custom("x_PriceSource"),
)
DEPRECATED = frozenset({"ProviderName", "PublisherName"})
"""In 1.3, and mandatory still."""

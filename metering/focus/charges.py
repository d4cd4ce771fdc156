"""A charge, and the row of the file that it becomes."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from django.conf import settings

from evaluations.models import PaidTo
from metering.focus.periods import Month
from metering.prices.finder import CURRENCY

SITE = "Adapter Portal"
"""Who provides the services, and issues the bill: the site, whoever runs it."""
AWS = "AWS"
CATEGORY = "AI and Machine Learning"
OWN_PROVIDER = "Provider of the organisation"
"""Whoever an organisation's own judges are paid to: their addresses are its own business."""
MICROS = 1_000_000
TAGS = "adapter-portal/"
"""The prefix of this site's tag keys."""


@dataclass(frozen=True, kw_only=True)
class Organisation:
    id: UUID
    slug: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Element:
    """What a part of an origin charge was measured by; `quantity` is None where the measure was not kept."""

    ratio: Decimal
    unit: str
    quantity: Decimal | None = None
    more: Mapping[str, int] | None = None


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """A part of an origin charge. Without a resource it is the part that nobody was given."""

    origin: str
    method: str
    element: Element
    resource_id: str | None = None
    resource_name: str | None = None
    tags: Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Charge:
    """What something cost in a day or an hour.

    `micros` are millionths of `CURRENCY`, as the page of costs shows them. `quantity` times `unit_price` is the same
    without its rounding. `part` says which of a thing's costs it is: Use, Idle, Unallocated, Run, Calls or Storage.
    """

    start: dt.datetime
    end: dt.datetime
    part: str
    description: str
    service: str
    subcategory: str
    micros: int
    quantity: Decimal
    unit: str
    unit_price: Decimal
    list_unit_price: Decimal
    price_source: str
    sku: str
    meter: str
    organisation: Organisation | None
    resource_id: str | None = None
    resource_name: str | None = None
    resource_type: str | None = None
    region: str = ""
    paid_to: PaidTo = PaidTo.SITE
    tags: Mapping[str, str] | None = None
    allocation: Allocation | None = None
    calls: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    category: str = CATEGORY


def row_of(charge: Charge, month: Month) -> dict[str, Any]:
    """The values of a charge by column, None where it has none."""
    cost = Decimal(charge.micros) / MICROS
    to_site = charge.paid_to == PaidTo.SITE
    provider = SITE if to_site else OWN_PROVIDER
    split, owner = charge.allocation, charge.organisation
    # All parts of an origin charge have its sub account, and an endpoint's is none: it serves all organisations.
    account = None if split else owner
    return {
        "AllocatedMethodDetails": details_text(split.element) if split else None,
        "AllocatedMethodId": split.method if split else None,
        "AllocatedResourceId": split.resource_id if split else None,
        "AllocatedResourceName": split.resource_name if split else None,
        "AllocatedTags": tags_text(split.tags) if split else None,
        # What somebody else is paid is on nobody's bill from this site.
        "BilledCost": cost if to_site else Decimal(0),
        "BillingAccountId": billing_account(),
        "BillingAccountName": SITE,
        "BillingCurrency": CURRENCY,
        "BillingPeriodEnd": month.end,
        "BillingPeriodStart": month.start,
        "ChargeCategory": "Usage",
        "ChargeClass": None,
        "ChargeDescription": charge.description,
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodEnd": charge.end,
        "ChargePeriodStart": charge.start,
        "ConsumedQuantity": charge.quantity,
        "ConsumedUnit": charge.unit,
        "ContractedCost": charge.quantity * charge.unit_price,
        "ContractedUnitPrice": charge.unit_price,
        "EffectiveCost": cost,
        "HostProviderName": AWS if charge.region else provider,
        "InvoiceIssuerName": provider,
        "ListCost": charge.quantity * charge.list_unit_price,
        "ListUnitPrice": charge.list_unit_price,
        "PricingCategory": "Standard",
        "PricingQuantity": charge.quantity,
        "PricingUnit": charge.unit,
        "ProviderName": provider,
        "PublisherName": provider,
        "RegionId": charge.region or None,
        "RegionName": charge.region or None,
        "ResourceId": charge.resource_id,
        "ResourceName": charge.resource_name,
        "ResourceType": charge.resource_type,
        "ServiceCategory": charge.category,
        "ServiceName": charge.service,
        "ServiceProviderName": provider,
        "ServiceSubcategory": charge.subcategory,
        "SkuId": charge.sku,
        "SkuMeter": charge.meter,
        "SkuPriceDetails": None,
        "SkuPriceId": charge.sku,
        "SubAccountId": str(account.id) if account else None,
        "SubAccountName": account.name if account else None,
        "Tags": tags_text(charge.tags),
        "x_CallCount": _number(charge.calls),
        "x_CostPart": charge.part,
        "x_InputTokenCount": _number(charge.input_tokens),
        "x_OrganisationId": str(owner.id) if owner else None,
        "x_OrganisationName": owner.name if owner else None,
        "x_OriginChargeId": split.origin if split else None,
        "x_OutputTokenCount": _number(charge.output_tokens),
        "x_PaidTo": charge.paid_to.value,
        "x_PriceSource": charge.price_source or None,
    }


def billing_account() -> str:
    """Which site the bill is of: its host name."""
    return str(urlsplit(settings.SITE_URL).netloc)


def plain(number: Decimal) -> str:
    """Digits with a decimal point: no exponent, no zeros at the end."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def tags_text(tags: Mapping[str, str] | None) -> str | None:
    """Tags as JSON, with this site's prefix."""
    return msgspec.json.encode({f"{TAGS}{key}": value for key, value in tags.items()}).decode() if tags else None


def details_text(*elements: Element) -> str:
    """AllocatedMethodDetails as JSON. Numbers are written out, so that ratios add up to exactly 1."""
    found: Sequence[dict[str, Any]] = [
        {
            "AllocatedRatio": _raw(one.ratio),
            "UsageUnit": one.unit,
            **({"UsageQuantity": _raw(one.quantity)} if one.quantity is not None else {}),
            **(one.more or {}),
        }
        for one in elements
    ]
    return msgspec.json.encode({"Elements": found}).decode()


def _raw(number: Decimal) -> msgspec.Raw:
    return msgspec.Raw(plain(number).encode())


def _number(value: int | None) -> Decimal | None:
    return None if value is None else Decimal(value)

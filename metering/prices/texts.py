"""Prices in words."""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.formats import date_format

from metering.models import ExchangeRate, Price, PriceSource, Unit

if TYPE_CHECKING:
    from metering.prices.book import PriceFound

LONGEST_SOURCE = 200
"""What a job has room for."""


def day_text(moment: dt.datetime) -> str:
    """As in "12 Aug 2026", in the site's time zone."""
    return date_format(timezone.localtime(moment), "j M Y")


def moment_text(moment: dt.datetime) -> str:
    """As in "12 Aug 2026, 14:00 UTC"."""
    return date_format(timezone.localtime(moment), "j M Y, H:i T")


def amount_text(amount: Decimal, currency: str) -> str:
    """As in "1.515 USD": at least two decimal places, at most ten, without further zeros."""
    whole, _, places = f"{round(amount, 10):,.10f}".partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')} {currency}"


def per_unit(amount: Decimal, currency: str, unit: str) -> str:
    """As in "1.515 USD per hour"."""
    return f"{amount_text(amount, currency)} per {Unit(unit).label}"


def percent_text(percent: Decimal) -> str:
    """As in "12.5%"."""
    return f"{percent.normalize():f}%"


def rate_text(rate: ExchangeRate) -> str:
    """As in "1 EUR = 1.08 USD"."""
    return f"1 {rate.currency} = {amount_text(rate.rate, rate.into)}"


def row_source_text(price: Price) -> str:
    """Where a list price is from, with its date."""
    day = day_text(price.recorded_at)
    return f"AWS price list, {day}" if price.source == PriceSource.AWS else f"Set by your site’s operator on {day}"


def source_text(found: "PriceFound") -> str:
    """Where a price is from and what was done to it, in at most 200 characters."""
    parts = [row_source_text(found.price)]
    if found.rate is not None:
        parts.append(f"from {amount_text(found.list_amount, found.list_currency)}")
    if found.discount is not None:
        parts.append(f"less {percent_text(found.discount.percent)} ({found.discount.reason})")
    return ", ".join(parts)[:LONGEST_SOURCE]

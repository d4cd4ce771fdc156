"""Checks of what is entered. Each returns the value as it is recorded, or raises WrongPrice."""

import datetime as dt
import re
from decimal import Decimal

from metering.models import Service
from metering.prices.currencies import checked_code
from metering.prices.errors import WrongPrice

HIGHEST_PRICE = Decimal(100_000)
HIGHEST_RATE = Decimal(1_000_000)
SMALLEST = Decimal("0.0000000001")
ITEM = re.compile(r"[\w.:/@+-]{1,80}")
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d{1,2}")
ENTRY_TIME = dt.timedelta(minutes=1)
"""Forms give times to the minute, and entering one takes a moment."""


def service_of(value: str) -> Service:
    if value not in Service.values:
        raise WrongPrice(f"The service is one of {', '.join(Service.values)}.", field="service")
    return Service(value)


def item_of(value: str) -> str:
    found = value.strip()
    if not ITEM.fullmatch(found):
        text = "Enter an instance type such as ml.g5.2xlarge, the alias of a backend, or a storage class."
        raise WrongPrice(text, field="item")
    return found


def region_of(value: str) -> str:
    found = value.strip()
    if found and not REGION.fullmatch(found):
        raise WrongPrice("Enter an AWS region such as eu-west-1, or leave it empty.", field="region")
    return found


def amount_of(value: Decimal) -> Decimal:
    return _number(value, Decimal(0), HIGHEST_PRICE, field="amount", name="price")


def rate_of(value: Decimal) -> Decimal:
    return _number(value, SMALLEST, HIGHEST_RATE, field="rate", name="exchange rate")


def percent_of(value: Decimal) -> Decimal:
    if not value.is_finite() or not 0 < value <= 100 or value != round(value, 2):
        text = "The discount is above 0 and at most 100 per cent, with at most two decimal places."
        raise WrongPrice(text, field="percent")
    return value


def currency_of(value: str, *, field: str = "currency") -> str:
    try:
        return checked_code(value)
    except ValueError:
        raise WrongPrice("Enter the three-letter code of a currency, such as USD or EUR.", field=field) from None


def one_line(value: str, longest: int, *, field: str) -> str:
    """Without line breaks and surplus spaces."""
    found = " ".join(value.replace("\0", " ").split())
    if len(found) > longest:
        raise WrongPrice(f"Use at most {longest} characters.", field=field)
    return found


def start_of(value: dt.datetime | None, now: dt.datetime) -> dt.datetime:
    """`now` where none is given, or where it is less than a minute ago."""
    return now if value is None or now - ENTRY_TIME < value < now else value


def check_end(start: dt.datetime, end: dt.datetime | None) -> None:
    if end is not None and end <= start:
        raise WrongPrice("The end must be after the start.", field="valid_until")


def _number(value: Decimal, lowest: Decimal, highest: Decimal, *, field: str, name: str) -> Decimal:
    if not value.is_finite() or not lowest <= value <= highest:
        least = "0" if not lowest else "above 0"
        raise WrongPrice(f"Enter a number for the {name}: {least} to {highest:,}.", field=field)
    if value != round(value, 10):
        raise WrongPrice("Use at most 10 decimal places.", field=field)
    return value

"""Why a bill differs from what the site counted, in words. Guesses from the numbers, the likeliest first."""

from collections.abc import Iterator
from decimal import Decimal

from metering.models import BillSubject
from metering.reconciliation.comparison import CENT, Billed, Compared, Site

ONE_PERCENT = Decimal("0.01")
SMALL_HOURS = Decimal("0.02")


def reasons(row: Compared) -> list[str]:
    """Empty where both agree to the cent, or to a tenth of a per cent."""
    if row.subject == BillSubject.OTHER:
        return ["No endpoint or job of this site."]
    least = max(CENT, (row.site_cost or Decimal(0)) / 1000)
    if row.difference is not None and abs(row.difference) < least:
        return []
    return list(_reasons(row)) or ["No reason found."]


def _reasons(row: Compared) -> Iterator[str]:
    billed, site = row.billed, row.site
    if billed is None:
        yield "Not in the bill. It may not be final yet, or this runs in another account."
        return
    for currency in sorted(billed.lacks_rate):
        yield f"No exchange rate for {currency} on this day. Add it under Prices."
    if row.began_before:
        yield "Part of it is in another month’s bill."
    if site is None:
        yield "The site measured nothing on this day."
        return
    if site.hours_without_price:
        yield f"{_hours(site.hours_without_price)} without a price on this site."
    yield from _hours_differ(billed, site)
    yield from _prices_differ(billed, site)
    if abs(billed.credits) >= CENT:
        yield f"Credits and refunds: {_amount(billed.credits)}."
    if abs(billed.other) >= CENT:
        yield f"Storage, data and other usage: {_amount(billed.other)}."


def _hours_differ(billed: Billed, site: Site) -> Iterator[str]:
    if not billed.hours or abs(billed.hours - site.hours) <= max(SMALL_HOURS, site.hours * ONE_PERCENT):
        return
    both = f"The bill has {_hours(billed.hours)} of instances, the site {_hours(site.hours)}"
    times = billed.hours / site.hours if site.hours else Decimal(0)
    if times >= 2 and abs(times - round(times)) < Decimal("0.02"):
        yield f"{both}: it may run {round(times)} times the instances that the site knows of."
    elif billed.hours > site.hours:
        yield f"{both}: some were not measured."
    else:
        yield f"{both}: the bill may not be final yet."


def _prices_differ(billed: Billed, site: Site) -> Iterator[str]:
    priced = site.hours - site.hours_without_price
    if not billed.hours or priced <= 0:
        return
    ours, paid, listed = site.cost / priced, billed.paid / billed.hours, billed.listed / billed.hours
    if abs(paid - ours) <= ours * ONE_PERCENT / 2:
        return
    if abs(listed - ours) > ours * ONE_PERCENT / 2:
        yield f"An hour is {_amount(listed)} in the bill before discounts, {_amount(ours)} here."
    if listed and abs(listed - paid) > listed * ONE_PERCENT / 2:
        yield f"Discounts or a Savings Plan take {(listed - paid) / listed * 100:.1f}% off."


def _hours(hours: Decimal) -> str:
    text = f"{hours:,.2f}".rstrip("0").rstrip(".")
    return f"{text} hour" if text == "1" else f"{text} hours"


def _amount(amount: Decimal) -> str:
    return f"{amount:,.2f}" if abs(amount) >= 10 else f"{amount:,.4f}"

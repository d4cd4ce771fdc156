"""Statements in templates."""

import datetime as dt

from django import template

from metering.statements.texts import day_text, money, quantity_text

register = template.Library()
register.filter("money", money)
register.filter("quantity", quantity_text)


@register.filter
def day_of_utc(moment: dt.datetime) -> str:
    """As in "4 November 2026": a statement's days are those of UTC, wherever the reader is."""
    return day_text(moment.astimezone(dt.UTC).date())


@register.filter
def change(share: float) -> str:
    """0.08 as "↑ 8.0%"."""
    if round(share, 3) == 0:
        return "no change"
    return f"{'↑' if share > 0 else '↓'} {abs(share):.1%}"

"""The charts of a usage page."""

from typing import Any

from django.urls import reverse

from metering.usage import charts
from metering.usage.charts import Axis, Series
from metering.usage.marks import marks_of
from metering.usage.names import names_of
from metering.usage.queries import UsageSummary, usage_of
from metering.usage.wanted import Wanted

MOST_PARTS = 5
"""How many of what it is broken down by have a colour of their own."""


def axis_of(wanted: Wanted) -> Axis:
    """The time axis of its charts, with promotions; a point opens its requests."""
    href = reverse("metering:requests") + (f"?{wanted.of}" if wanted.of else "")
    return Axis(wanted=wanted.slice, grain=wanted.period.grain, marks=marks_of(wanted.slice), href=href)


def figures_of_page(wanted: Wanted, usage: UsageSummary, axis: Axis, total: Series) -> dict[str, dict[str, Any]]:
    """Plotly figures by name, of what is `wanted`; `usage` is of its slice, and `total` its series."""
    names = names_of(usage.by, usage.lines.values[:MOST_PARTS])
    # What is not broken down need not be read twice.
    if len(usage.lines) > 1:
        of_parts = usage.requests_of(axis.grain, [name.value for name in names])
    else:
        of_parts = {name.value: {at: figures.requests for at, figures in total.items()} for name in names}
    parts = {name.label: of_parts[name.value] for name in names}
    before = usage_of(wanted.before).series(axis.grain) if wanted.compares else None
    return {
        "requests": charts.requests_figure(axis, total, parts, before),
        "latency": charts.latency_figure(axis, total),
        "errors": charts.errors_figure(axis, total),
        "tokens": charts.tokens_figure(axis, total),
        "first_token": charts.first_token_figure(axis, total),
    }

"""Plotly figures of usage, as plain dictionaries."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from metering.models import Grain
from metering.usage.figures import Figures
from metering.usage.queries import Slice
from metering.usage.ranges import starts

Series = Mapping[dt.datetime, Figures]


def requests_figure(wanted: Slice, grain: Grain, series: Series) -> dict[str, Any]:
    """Requests, answered and failed, stacked. Times without requests are zero."""
    times = list(starts(grain, wanted.start, wanted.end))
    figures = [series.get(time, Figures()) for time in times]
    x = [time.isoformat() for time in times]
    answered, failed = [one.answered for one in figures], [one.errors for one in figures]
    return {
        "data": [
            {"type": "bar", "name": "Answered", "x": x, "y": answered, "marker": {"color": "--chart-1"}},
            {"type": "bar", "name": "Failed", "x": x, "y": failed, "marker": {"color": "--chart-4"}},
        ],
        "layout": {
            "barmode": "stack",
            "xaxis": _time_axis(wanted, grain),
            "yaxis": {"title": {"text": f"Requests per {grain.value}"}, "rangemode": "tozero"},
        },
    }


def latency_figure(wanted: Slice, grain: Grain, series: Series) -> dict[str, Any]:
    """Median, 95th and 99th percentile in milliseconds, of times with answers."""
    rows = {time: figures for time, figures in series.items() if figures.p50_ms is not None}
    x = [time.isoformat() for time in rows]
    lines = {
        "Median": [row.p50_ms for row in rows.values()],
        "95th percentile": [row.p95_ms for row in rows.values()],
        "99th percentile": [row.p99_ms for row in rows.values()],
    }
    return {
        "data": [
            {"type": "scatter", "mode": "lines+markers", "name": name, "x": x, "y": values}
            for name, values in lines.items()
        ],
        "layout": {
            "xaxis": _time_axis(wanted, grain),
            "yaxis": {"title": {"text": "Milliseconds"}, "rangemode": "tozero"},
        },
    }


def _time_axis(wanted: Slice, grain: Grain) -> dict[str, Any]:
    """The whole requested range, even if there were few requests."""
    whole = [wanted.start.isoformat(), wanted.end.isoformat()]
    labels = "%H:%M\n%-d %b" if grain == Grain.HOUR else "%-d %b\n%Y"
    return {"type": "date", "range": whole, "nticks": 5, "tickangle": 0, "tickformat": labels}

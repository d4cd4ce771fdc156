"""Plotly figures of usage, as plain dictionaries."""

import datetime as dt
from typing import Any

from metering.usage.queries import UsageSummary

HOUR = dt.timedelta(hours=1)


def requests_figure(usage: UsageSummary) -> dict[str, Any]:
    """Requests per hour, answered and failed, stacked. Hours without requests are zero."""
    by_hour = {row.hour: row for row in usage.hours}
    hours = _hours(usage)
    failed = [by_hour[hour].errors if hour in by_hour else 0 for hour in hours]
    answered = [by_hour[hour].requests - by_hour[hour].errors if hour in by_hour else 0 for hour in hours]
    times = [hour.isoformat() for hour in hours]
    return {
        "data": [
            {"type": "bar", "name": "Answered", "x": times, "y": answered, "marker": {"color": "--chart-1"}},
            {"type": "bar", "name": "Failed", "x": times, "y": failed, "marker": {"color": "--chart-4"}},
        ],
        "layout": {
            "barmode": "stack",
            "xaxis": _time_axis(usage),
            "yaxis": {"title": {"text": "Requests per hour"}, "rangemode": "tozero"},
        },
    }


def latency_figure(usage: UsageSummary) -> dict[str, Any]:
    """Median and 95th percentile per hour, in milliseconds."""
    rows = [row for row in usage.hours if row.p50_ms is not None]
    times = [row.hour.isoformat() for row in rows]
    lines = {"Median": [row.p50_ms for row in rows], "95th percentile": [row.p95_ms for row in rows]}
    return {
        "data": [
            {"type": "scatter", "mode": "lines+markers", "name": name, "x": times, "y": values}
            for name, values in lines.items()
        ],
        "layout": {
            "xaxis": _time_axis(usage),
            "yaxis": {"title": {"text": "Milliseconds"}, "rangemode": "tozero"},
        },
    }


def _time_axis(usage: UsageSummary) -> dict[str, Any]:
    """The whole requested range, even if few hours had requests."""
    whole = [usage.start.isoformat(), usage.end.isoformat()]
    return {"type": "date", "range": whole, "nticks": 5, "tickangle": 0, "tickformat": "%H:%M\n%-d %b"}


def _hours(usage: UsageSummary) -> list[dt.datetime]:
    count = int((usage.end - usage.start) / HOUR)
    return [usage.start + index * HOUR for index in range(count)]

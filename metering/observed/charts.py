"""Plotly figures of the ledger beside a cloud's figures, as plain dictionaries. Hours without data are gaps."""

from typing import Any

from metering.observed.queries import Comparison


def requests_figure(comparison: Comparison, *, source: str = "CloudWatch") -> dict[str, Any]:
    """Requests per hour: those of the gateway, and those that the source counted."""
    times = [hour.hour.isoformat() for hour in comparison.hours]
    counted = [hour.requests for hour in comparison.hours]
    observed = [hour.observed_requests for hour in comparison.hours]
    return {
        "data": [
            {"type": "bar", "name": "Gateway", "x": times, "y": counted, "marker": {"color": "--chart-1"}},
            {**_line(source, times, observed), "line": {"color": "--chart-2"}},
        ],
        "layout": _layout(comparison, "Requests per hour"),
    }


def latency_figure(comparison: Comparison, *, source: str = "CloudWatch") -> dict[str, Any]:
    """95th percentile per hour in milliseconds: of whole requests at the gateway, and of the model at the source."""
    times = [hour.hour.isoformat() for hour in comparison.hours]
    whole = [hour.p95_ms for hour in comparison.hours]
    model = [hour.observed_p95_ms for hour in comparison.hours]
    return {
        "data": [_line("Gateway, whole request", times, whole), _line(f"{source}, model only", times, model)],
        "layout": _layout(comparison, "Milliseconds"),
    }


def _line(name: str, times: list[str], values: list[Any]) -> dict[str, Any]:
    # A line through a gap would show figures that nobody has measured.
    return {
        "type": "scatter", "mode": "lines+markers", "name": name, "x": times, "y": values, "connectgaps": False
    }  # fmt: skip


def _layout(comparison: Comparison, title: str) -> dict[str, Any]:
    whole = [comparison.start.isoformat(), comparison.end.isoformat()]
    return {
        "xaxis": {"type": "date", "range": whole, "nticks": 5, "tickangle": 0, "tickformat": "%H:%M\n%-d %b"},
        "yaxis": {"title": {"text": title}, "rangemode": "tozero"},
    }

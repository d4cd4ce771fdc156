"""Plotly figures of usage, as plain dictionaries. Each says in `label` what it shows, for those who can't see it."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from metering.models import Grain
from metering.usage.figures import Figures
from metering.usage.queries import Slice
from metering.usage.ranges import next_of, starts

Series = Mapping[dt.datetime, Figures]
Parts = Mapping[str, Mapping[dt.datetime, int]]
"""Requests by what a part is called, the busiest first, and time."""

ERRORS = {
    "Refused": "refused",
    "Over a limit": "limited",
    "Failed": "failed",
    "Caller disconnected": "disconnected",
}
COLORS = 6
STACKED = {"barmode": "stack", "legend": {"traceorder": "normal"}}


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Something that happened, on the time axis."""

    at: dt.datetime
    text: str


@dataclass(frozen=True, kw_only=True)
class Axis:
    """The time axis that the charts of a page share. `href` opens the requests behind a point."""

    wanted: Slice
    grain: Grain
    marks: Sequence[Mark] = ()
    href: str = ""

    @cached_property
    def times(self) -> list[dt.datetime]:
        return list(starts(self.grain, self.wanted.start, self.wanted.end))

    @cached_property
    def x(self) -> list[str]:
        """The times as charts have them."""
        return [self.place(time) for time in self.times]

    def along(self, series: Series) -> list[Figures]:
        """The figures of each time, those of nothing where there are none."""
        return [series.get(time, NOTHING) for time in self.times]

    def place(self, time: dt.datetime) -> str:
        """Days have no time of day: they are those of UTC, wherever the reader is."""
        return time.isoformat() if self.grain == Grain.HOUR else f"{time:%Y-%m-%d}"

    def _exactly(self, time: dt.datetime) -> str:
        return time.isoformat() if self.grain == Grain.HOUR else f"{time:%Y-%m-%d %H:%M}"

    def layout(self, title: str, **changes: Any) -> dict[str, Any]:
        """The layout of a chart with this axis and the title of its values."""
        ends = [self.wanted.start, max(self.wanted.end, next_of(self.grain, self.wanted.start))]
        half = (next_of(self.grain, ends[0]) - ends[0]) / 2
        labels = "%H:%M\n%-d %b" if self.grain == Grain.HOUR else "%-d %b\n%Y"
        return {
            # Bars stand on both sides of their time.
            "xaxis": {
                "type": "date",
                "range": [self._exactly(end - half) for end in ends],
                "nticks": 5,
                "tickangle": 0,
                "tickformat": labels,
            },
            "yaxis": {"title": {"text": title}, "rangemode": "tozero"},
            "shapes": [_line(self.place(mark.at)) for mark in self.marks],
            # Also of a single trace, which would have no name otherwise.
            "showlegend": True,
            "annotations": [_note(self.place(mark.at), mark.text) for mark in self.marks],
            "meta": {
                "href": self.href,
                "seconds": int((next_of(self.grain, ends[0]) - ends[0]).total_seconds()),
                # Those of every trace that has none of its own: said for each, they would be most of the page.
                "times": self.x,
            },
            **changes,
        }


def requests_figure(axis: Axis, total: Series, parts: Parts, before: Series | None = None) -> dict[str, Any]:
    """Requests by part, stacked, those of other parts together; `before` is a line of the time before."""
    times = axis.times
    shown = {name: [counts.get(time, 0) for time in times] for name, counts in parts.items()}
    others = [one.requests - sum(values) for one, *values in zip(axis.along(total), *shown.values(), strict=True)]
    if any(others):
        shown["Others"] = others
    data = [bars(name, values, number) for number, (name, values) in enumerate(shown.items(), start=1)]
    if before is not None:
        data.append(_before(axis, before))
    count = sum(one.requests for one in total.values())
    return {
        "data": data,
        "layout": axis.layout(f"Requests per {axis.grain.value}", **STACKED),
        "label": f"Requests per {axis.grain.value}: {count} in all. {_peak(total, lambda one: one.requests)}",
    }


def errors_figure(axis: Axis, total: Series) -> dict[str, Any]:
    """Failed requests by kind, stacked."""
    along = axis.along(total)
    kinds = {name: [getattr(one, kind) for one in along] for name, kind in ERRORS.items()}
    seen = [(number, name, values) for number, (name, values) in enumerate(kinds.items(), start=1) if any(values)]
    data = [bars(name, values, number) for number, name, values in seen]
    told = ", ".join(f"{sum(values)} {name.lower()}" for _, name, values in seen)
    return {
        "data": data,
        "layout": axis.layout(f"Failed requests per {axis.grain.value}", **STACKED),
        "label": f"Failed requests: {told or 'none'}.",
    }


def latency_figure(axis: Axis, total: Series) -> dict[str, Any]:
    """Median, 95th and 99th percentile in milliseconds. Times without answers are gaps."""
    lines = {
        "Median": lambda one: one.p50_ms,
        "95th percentile": lambda one: one.p95_ms,
        "99th percentile": lambda one: one.p99_ms,
    }
    return {
        "data": _curves(axis, total, lines),
        "layout": axis.layout("Milliseconds"),
        "label": f"Latency. {_peak(total, lambda one: one.p95_ms, 'Highest 95th percentile', ' ms')}",
    }


def first_token_figure(axis: Axis, total: Series) -> dict[str, Any]:
    """Time to the first token of streamed answers, and how long requests queued, in milliseconds."""
    lines = {
        "First token, median": lambda one: one.first_p50_ms,
        "First token, 95th percentile": lambda one: one.first_p95_ms,
        "In the queue, mean": lambda one: one.queue_ms,
    }
    data = _curves(axis, total, lines)
    return {
        "data": [trace for trace in data if any(value is not None for value in trace["y"])],
        "layout": axis.layout("Milliseconds"),
        "label": f"Time to first token, and in the queue. "
        f"{_peak(total, lambda one: one.first_p95_ms, 'Highest 95th percentile', ' ms')}",
    }


def tokens_figure(axis: Axis, total: Series) -> dict[str, Any]:
    """Tokens a second, on average over each hour or day."""
    along = axis.along(total)
    seconds = [(next_of(axis.grain, time) - time).total_seconds() for time in axis.times]
    kinds: dict[str, Callable[[Figures], int]] = {
        "Input, cached": lambda one: one.cached_tokens,
        "Input": lambda one: one.prompt_tokens - one.cached_tokens,
        "Output": lambda one: one.completion_tokens,
    }
    data = []
    for number, (name, count) in enumerate(kinds.items(), start=1):
        values = [round(count(one) / length, 3) for one, length in zip(along, seconds, strict=True)]
        if any(values):
            data.append(bars(name, values, number))
    tokens = sum(one.tokens for one in total.values())
    return {
        "data": data,
        "layout": axis.layout("Tokens per second", **STACKED),
        "label": f"Tokens per second: {tokens} tokens in all.",
    }


NOTHING = Figures()


def bars(name: str, values: Sequence[float], number: int) -> dict[str, Any]:
    """A trace of bars, one for each time of the axis; `number`, from 1, chooses its colour."""
    color = f"--chart-{(number - 1) % COLORS + 1}"
    return {"type": "bar", "name": name, "y": list(values), "marker": {"color": color}}


def _curves(axis: Axis, series: Series, lines: Mapping[str, Callable[[Figures], float | None]]) -> list[dict[str, Any]]:
    along = axis.along(series)
    looks = {"type": "scatter", "mode": "lines+markers", "marker": {"size": 4}}
    return [
        {"name": name, "y": [None if (y := value(one)) is None else round(y, 2) for one in along], **looks}
        for name, value in lines.items()
    ]


def _before(axis: Axis, before: Series) -> dict[str, Any]:
    length = axis.wanted.length
    values = [before.get(time - length, NOTHING).requests for time in axis.times]
    looks = {"mode": "lines", "line": {"dash": "dot", "color": "--chart-text"}}
    return {"type": "scatter", "name": "The time before", "y": values, **looks}


def _peak(series: Series, value: Callable[[Figures], float | None], name: str = "Most", unit: str = "") -> str:
    found = [(one, time) for time, figures in series.items() if (one := value(figures))]
    if not found:
        return "Nothing yet."
    most, time = max(found)
    return f"{name}: {most:,.0f}{unit}, {time:%-d %B, %H:%M} UTC."


def _line(x: str) -> dict[str, Any]:
    line = {"width": 1, "dash": "dot", "color": "--chart-text"}
    return {"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1, "line": line}


def _note(x: str, text: str) -> dict[str, Any]:
    place = {"yref": "paper", "y": 1, "yanchor": "top", "xanchor": "left", "showarrow": False}
    return {"x": x, "text": text, "font": {"size": 10}, **place}

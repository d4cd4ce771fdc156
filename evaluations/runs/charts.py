"""Charts of an evaluation: pure functions that return Plotly figures as plain dicts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evaluations.runs.held_out import ALL
from evaluations.runs.report import metric_title, shown

BINS = 20
COLOURS = ("--chart-6", "--chart-1", "--chart-2", "--chart-3", "--chart-4", "--chart-5", "--chart-7", "--chart-8")


def distribution_figure(scores: Mapping[str, Sequence[float | None]], metric: str) -> dict[str, Any]:
    """Number of rows by score in one metric, the models overlaid; `scores` are by the model's name."""
    centres = [(index + 0.5) / BINS for index in range(BINS)]
    data = [
        {
            "type": "bar",
            "name": name,
            "x": centres,
            "y": histogram(column),
            "width": 1 / BINS,
            "opacity": 0.7,
            "marker": {"color": colour},
            "hovertemplate": "%{y} rows",
        }
        for (name, column), colour in zip(scores.items(), COLOURS, strict=False)
    ]
    layout = {
        "barmode": "overlay",
        "xaxis": {"title": {"text": metric_title(metric)}, "range": [0, 1]},
        "yaxis": {"title": {"text": "Rows"}, "rangemode": "tozero"},
    }
    return {"data": data, "layout": layout}


def metrics_figure(summary: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The mean of each metric shown, 0..1, the models beside each other; `names` are by their keys."""
    figures = summary[ALL]["figures"]
    aliases = shown(next(iter(figures.values())))
    data = [
        {
            "type": "bar",
            "name": name,
            "x": [metric_title(alias) for alias in aliases],
            "y": [figures[key][alias] for alias in aliases],
            "marker": {"color": colour},
            "hovertemplate": "%{y:.2f}",
        }
        for (key, name), colour in zip(names.items(), COLOURS, strict=False)
    ]
    return {"data": data, "layout": {"barmode": "group", "yaxis": {"range": [0, 1], "title": {"text": "Mean"}}}}


def histogram(values: Iterable[float | None]) -> list[int]:
    """Counts of 0..1 values in equal bins; a 1 belongs to the last one, None to none."""
    counts = [0] * BINS
    for value in values:
        if value is not None:
            counts[min(int(value * BINS), BINS - 1)] += 1
    return counts

"""Charts of an evaluation: pure functions that return Plotly figures as plain dicts."""

from collections.abc import Mapping, Sequence
from typing import Any

from evaluations.runs.queries import Reliability
from evaluations.runs.report import metric_title, shown
from evaluations.runs.stages.held_out import ALL

COLOURS = ("--chart-6", "--chart-1", "--chart-2", "--chart-3", "--chart-4", "--chart-5", "--chart-7", "--chart-8")


def colours_of(names: Sequence[str]) -> dict[str, str]:
    """A colour for each model of an evaluation, so that it has the same one in every chart; the base’s is grey."""
    return {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(names)}


def distribution_figure(
    counts: Mapping[str, Sequence[int]],
    metric: str,
    *,
    colours: Mapping[str, str],
    low: float = 0.0,
    high: float = 1.0,
) -> dict[str, Any]:
    """Number of rows by score in one metric, the models overlaid.

    `counts` are of equal parts of the scale `low` to `high`, by the model's name.
    """
    bins = max(map(len, counts.values()), default=1)
    width = (high - low) / bins
    centres = [low + (index + 0.5) * width for index in range(bins)]
    data = [
        {
            "type": "bar",
            "name": name,
            "x": centres,
            "y": list(column),
            "width": width,
            "opacity": 0.7,
            "marker": {"color": colours[name]},
            "hovertemplate": "%{y} rows",
        }
        for name, column in counts.items()
    ]
    layout = {
        "barmode": "overlay",
        "xaxis": {"title": {"text": metric_title(metric)}, "range": [low, high]},
        "yaxis": {"title": {"text": "Rows"}, "rangemode": "tozero"},
    }
    return {"data": data, "layout": layout}


def metrics_figure(summary: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The mean of each metric shown, 0..1, the models beside each other; `names` are by their keys."""
    figures = summary[ALL]["figures"]
    aliases = shown(next(iter(figures.values())))
    colours = colours_of([*names.values()])
    data = [
        {
            "type": "bar",
            "name": name,
            # On a narrow screen long titles would leave no room for the bars.
            "x": [metric_title(alias).replace(" (", "<br>(") for alias in aliases],
            "y": [figures[key][alias] for alias in aliases],
            "marker": {"color": colours[name]},
            "hovertemplate": "%{y:.2f}",
        }
        for key, name in names.items()
    ]
    return {"data": data, "layout": {"barmode": "group", "yaxis": {"range": [0, 1], "title": {"text": "Mean"}}}}


def reliability_figure(bins: Mapping[str, Sequence[Reliability]], *, colours: Mapping[str, str]) -> dict[str, Any]:
    """How often models are right by how confident they are; on the line, confidence is what it says."""
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": "As confident as right",
        "x": [0, 1],
        "y": [0, 1],
        "line": {"dash": "dot", "color": "--chart-6"},
        "hoverinfo": "skip",
    }
    points = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": [one.confidence for one in parts],
            "y": [one.accuracy for one in parts],
            "text": [f"{one.rows:,} rows" for one in parts],
            "marker": {"color": colours[name]},
            "line": {"color": colours[name]},
            "hovertemplate": "right %{y:.0%}, %{text}",
        }
        for name, parts in bins.items()
    ]
    layout = {
        "xaxis": {"title": {"text": "Confidence"}, "range": [0, 1.02]},
        "yaxis": {"title": {"text": "Share right"}, "range": [0, 1.02]},
    }
    return {"data": [line, *points], "layout": layout}

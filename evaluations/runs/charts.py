"""Charts of an evaluation: pure functions that return Plotly figures as plain dicts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evaluations.metrics.suite import Scores
from evaluations.runs.held_out import ALL
from evaluations.runs.report import metric_title, shown
from evaluations.runs.scoring import TARGETS

BINS = 20
NAMES = {"base": "Base", "adapter": "Adapter"}
COLOURS = {"base": "--chart-6", "adapter": "--chart-1"}


def distribution_figure(scores: Sequence[Mapping[str, Scores]], *, metric: str = "rouge_l") -> dict[str, Any]:
    """Number of rows by score in one metric, base and adapter overlaid. Empty scores give empty bars."""
    centres = [(index + 0.5) / BINS for index in range(BINS)]
    data = [
        {
            "type": "bar",
            "name": NAMES[target],
            "x": centres,
            "y": histogram(row[target].get(metric) for row in scores),
            "width": 1 / BINS,
            "opacity": 0.7,
            "marker": {"color": COLOURS[target]},
            "hovertemplate": "%{y} rows",
        }
        for target in TARGETS
    ]
    layout = {
        "barmode": "overlay",
        "xaxis": {"title": {"text": metric_title(metric)}, "range": [0, 1]},
        "yaxis": {"title": {"text": "Rows"}, "rangemode": "tozero"},
    }
    return {"data": data, "layout": layout}


def metrics_figure(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The mean of each metric shown, base beside adapter, 0..1."""
    total = summary[ALL]
    aliases = [alias for alias in shown(total["adapter"]) if alias != "judge"]
    data = [
        {
            "type": "bar",
            "name": NAMES[target],
            "x": [metric_title(alias) for alias in aliases],
            "y": [total[target][alias] for alias in aliases],
            "marker": {"color": COLOURS[target]},
            "hovertemplate": "%{y:.2f}",
        }
        for target in TARGETS
    ]
    return {"data": data, "layout": {"barmode": "group", "yaxis": {"range": [0, 1], "title": {"text": "Mean"}}}}


def histogram(values: Iterable[float | None]) -> list[int]:
    """Counts of 0..1 values in equal bins; a 1 belongs to the last one, None to none."""
    counts = [0] * BINS
    for value in values:
        if value is not None:
            counts[min(int(value * BINS), BINS - 1)] += 1
    return counts

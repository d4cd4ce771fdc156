"""Charts of a dataset version's profile: pure functions that return Plotly figures as plain dicts."""

from collections.abc import Mapping, Sequence
from typing import Any

MAX_BARS = 12
SPLITS = {"train": ("Train", "--chart-1"), "test": ("Test", "--chart-5")}


def length_figure(lengths: Mapping[str, Any]) -> dict[str, Any]:
    """Rows by their length in characters; the last bar takes the long tail, so it is drawn as wide as the others."""
    bins = lengths["bins"]
    width = bins[0]["high"] - bins[0]["low"]
    trace = {
        "type": "bar",
        "x": [bins[0]["low"] + (index + 0.5) * width for index in range(len(bins))],
        "y": [entry["rows"] for entry in bins],
        "width": 0.92 * width,
        "marker": {"color": "--chart-1", "line": {"width": 0}},
        "customdata": [f"{entry['low']:,}–{entry['high'] - 1:,}" for entry in bins],
        "hovertemplate": "%{customdata} characters: %{y} rows<extra></extra>",
    }
    layout = {
        "hovermode": "closest",
        "xaxis": {"title": {"text": "Characters"}},
        "yaxis": {"title": {"text": "Rows"}, "rangemode": "tozero"},
    }
    return {"data": [trace], "layout": layout}


def counts_figure(counts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Rows per slice or label as bars, train and test on each other; the smallest are added up."""
    shown = list(counts[:MAX_BARS])
    rest = counts[MAX_BARS:]
    if rest:
        others = {split: sum(count[split] for count in rest) for split in SPLITS}
        shown.append({"name": f"{len(rest)} others", **others})
    # Plotly draws a list from the bottom up.
    shown.reverse()
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": title,
            "y": [count["name"] for count in shown],
            "x": [count[split] for count in shown],
            "marker": {"color": colour},
            "hovertemplate": "%{x} rows",
        }
        for split, (title, colour) in SPLITS.items()
    ]
    layout = {
        "barmode": "stack",
        "bargap": 0.35,
        "legend": {"traceorder": "normal"},
        "hovermode": "y unified",
        "xaxis": {"title": {"text": "Rows"}},
        "yaxis": {"type": "category", "showgrid": False},
    }
    return {"data": data, "layout": layout}

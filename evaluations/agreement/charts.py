"""Charts of agreement: pure functions that return Plotly figures as plain dicts."""

from collections.abc import Sequence
from typing import Any

from lorakit.stats.against_experts import Level


def calibration_figure(levels: Sequence[Level]) -> dict[str, Any]:
    """What experts gave on average for each of the judge's scores, with intervals, beside a judge without fault."""
    spans = [level.estimate.interval() if level.estimate else None for level in levels]
    data = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "No difference",
            "x": [1, 5],
            "y": [1, 5],
            "line": {"color": "--chart-6", "dash": "dot"},
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": "Experts",
            "x": [level.score for level in levels],
            "y": [level.mean for level in levels],
            "text": [f"{level.rows} answers" for level in levels],
            "line": {"color": "--chart-1"},
            "marker": {"color": "--chart-1"},
            "hovertemplate": "%{y:.2f}, %{text}",
            "error_y": {
                "type": "data",
                "symmetric": False,
                "array": [span.high - level.mean if span else 0 for level, span in zip(levels, spans, strict=True)],
                "arrayminus": [level.mean - span.low if span else 0 for level, span in zip(levels, spans, strict=True)],
            },
        },
    ]
    layout = {
        "xaxis": {"title": {"text": "Judge’s grade"}, "range": [0.8, 5.2]},
        "yaxis": {"title": {"text": "Experts’ mean"}, "range": [0.8, 5.2]},
    }
    return {"data": data, "layout": layout}

"""Charts of several runs, as Plotly figures, and the small curves of lists."""

from collections.abc import Sequence
from typing import Any

from jobs.reports.charts import thinned

WIDTH, HEIGHT = 96, 24
"""The view box in templates/adapters/training/_spark.html."""


def comparison_figure(curves: Sequence[tuple[str, Sequence[dict[str, Any]]]]) -> dict[str, Any] | None:
    """Losses of several runs by step, given as (name, points); held-out losses are dotted. None without any."""
    traces: list[dict[str, Any]] = []
    for number, (name, points) in enumerate(curves, start=1):
        colour = f"--chart-{number}"
        for title, value, style in (
            (name, "loss", {"mode": "lines", "line": {"color": colour, "width": 2}}),
            (
                f"{name} (held out)",
                "eval_loss",
                {"mode": "lines+markers", "line": {"color": colour, "width": 2, "dash": "dot"}, "marker": {"size": 6}},
            ),
        ):
            known = thinned([point for point in points if value in point])
            if known:
                x, y = [point["step"] for point in known], [point[value] for point in known]
                traces.append({"type": "scatter", "name": title, "x": x, "y": y, **style})
    if not traces:
        return None
    layout = {"xaxis": {"title": {"text": "Step"}, "rangemode": "tozero"}, "yaxis": {"title": {"text": "Loss"}}}
    return {"data": traces, "layout": layout}


def spark_points(losses: Sequence[float]) -> str:
    """The `points` of an SVG polyline of `WIDTH` x `HEIGHT`; empty for fewer than two losses."""
    if len(losses) < 2:
        return ""
    low, high = min(losses), max(losses)
    span = (high - low) or 1.0
    step = WIDTH / (len(losses) - 1)
    return " ".join(
        f"{index * step:.1f},{1 + (high - loss) / span * (HEIGHT - 2):.1f}" for index, loss in enumerate(losses)
    )

"""Charts of a job, as Plotly figures."""

from collections.abc import Sequence
from typing import Any

MAX_POINTS = 600


def loss_figure(points: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Training and evaluation loss by step, with the learning rate behind them. Returns None before the first loss.

    `points` are metrics sorted by step: {"step", "loss"?, "eval_loss"?, "learning_rate"?}.
    """
    losses = thinned([point for point in points if "loss" in point])
    evaluations = [point for point in points if "eval_loss" in point]
    if not losses and not evaluations:
        return None
    rates = [point for point in losses if "learning_rate" in point]
    traces = []
    if rates:
        line = {"color": "--chart-6", "width": 1, "dash": "dot"}
        traces.append(_trace("Learning rate", rates, "learning_rate", mode="lines", line=line) | {"yaxis": "y2"})
    if losses:
        traces.append(_trace("Training loss", losses, "loss", mode="lines", line={"color": "--chart-1", "width": 2}))
    if evaluations:
        style = {"line": {"color": "--chart-3", "width": 2}, "marker": {"size": 7}}
        traces.append(_trace("Held-out loss", evaluations, "eval_loss", mode="lines+markers", **style))
    return {"data": traces, "layout": _layout(with_rate=bool(rates))}


def _trace(name: str, points: Sequence[dict[str, Any]], value: str, **style: Any) -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": name,
        "x": [point["step"] for point in points],
        "y": [point[value] for point in points],
        **style,
    }


def _layout(*, with_rate: bool) -> dict[str, Any]:
    layout: dict[str, Any] = {
        "xaxis": {"title": {"text": "Step"}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": "Loss"}},
    }
    if with_rate:
        layout["yaxis2"] = {
            "title": {"text": "Learning rate"},
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "rangemode": "tozero",
            "exponentformat": "e",
            # By default, Plotly aligns these ticks with the other axis's grid lines, at odd values.
            "tickmode": "auto",
            "nticks": 4,
        }
    return layout


def thinned(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """At most MAX_POINTS of the points, evenly spaced; the last one is always included."""
    stride = -(-len(points) // MAX_POINTS)
    return points if stride <= 1 else points[:-1:stride] + points[-1:]

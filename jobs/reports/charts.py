"""Charts of a job, as Plotly figures."""

from collections.abc import Sequence
from typing import Any

MAX_POINTS = 600
LOW = 0.1
"""A loss that has fallen to this share of its highest is drawn on a log scale: a linear one would show a flat line."""


def loss_figure(points: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Training and evaluation loss over the whole run's steps, the learning rate in a strip below; None without a loss.

    `points` are metrics sorted by step: {"step", "total"?, "loss"?, "eval_loss"?, "learning_rate"?}.
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
        style = {"line": {"color": "--chart-3", "width": 2}, "marker": {"size": 7}, "cliponaxis": False}
        traces.append(_trace("Held-out loss", evaluations, "eval_loss", mode="lines+markers", **style))
    values = [point[name] for point in points for name in ("loss", "eval_loss") if name in point]
    steps = max(points[-1]["step"], points[-1].get("total") or 0)
    return {"data": traces, "layout": _layout(steps=steps, is_low=_is_low(values), with_rate=bool(rates))}


def _trace(name: str, points: Sequence[dict[str, Any]], value: str, **style: Any) -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": name,
        "x": [point["step"] for point in points],
        "y": [point[value] for point in points],
        **style,
    }


def _is_low(losses: Sequence[float]) -> bool:
    return 0 < min(losses) < LOW * max(losses)


def _layout(*, steps: int, is_low: bool, with_rate: bool) -> dict[str, Any]:
    layout: dict[str, Any] = {
        "xaxis": {"title": {"text": "Step"}, "range": [0, steps]},
        # The format makes Plotly write whole numbers at a log scale's small ticks: 0.5 and 0.2, not 5 and 2.
        "yaxis": {"title": {"text": "Loss"}, "type": "log" if is_low else "linear", "tickformat": "~g"},
    }
    if with_rate:
        layout["xaxis"]["anchor"] = "y2"
        layout["yaxis"]["domain"] = [0.3, 1]
        layout["yaxis2"] = {
            "title": {"text": "Rate"},
            "domain": [0, 0.2],
            "rangemode": "tozero",
            "exponentformat": "e",
            "nticks": 3,
        }
        layout["hoversubplots"] = "axis"
    return layout


def thinned(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """At most MAX_POINTS of the points, evenly spaced; the last one is always included."""
    stride = -(-len(points) // MAX_POINTS)
    return points if stride <= 1 else points[:-1:stride] + points[-1:]

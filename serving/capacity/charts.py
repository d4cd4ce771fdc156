"""Plotly figures of an endpoint's memory, as plain dictionaries."""

from typing import Any

from lorakit.capacity.machines import GIB
from lorakit.capacity.plan import Plan


def memory_figure(plan: Plan) -> dict[str, Any]:
    """One bar of the planned parts in GiB, stacked, with the limit where there is one."""
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "name": title,
            "x": [size / GIB],
            "y": [""],
            "width": 0.5,
            "marker": {"color": f"--chart-{place}"},
            "hovertemplate": f"{title}: %{{x:.2f}} GiB<extra></extra>",
        }
        for place, (_, title, size) in enumerate(plan.parts, 1)
    ]
    reach = max(plan.limit or 0, sum(size for _, _, size in plan.parts)) / GIB
    return {
        "data": bars,
        "layout": {
            "barmode": "stack",
            "xaxis": {"title": {"text": "GiB"}, "range": [0, reach * 1.02]},
            "yaxis": {"showticklabels": False},
            "legend": {"orientation": "h", "traceorder": "normal"},
        },
    }

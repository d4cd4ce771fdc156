"""Plotly figures of costs, as plain dictionaries."""

from decimal import Decimal
from typing import Any

from metering.costs.over_time import Costs
from metering.usage.charts import STACKED, Axis, bars

NOTHING = Decimal(0)


def cost_figure(axis: Axis, costs: Costs, currency: str) -> dict[str, Any]:
    """Costs by what is paid for, stacked."""
    times = axis.times
    data = []
    for number, (title, amounts) in enumerate(costs.items(), start=1):
        data.append(bars(title, [float(round(amounts.get(time, NOTHING), 6)) for time in times], number))
    total = sum((sum(amounts.values()) for amounts in costs.values()), NOTHING)
    return {
        "data": data,
        "layout": axis.layout(f"{currency} per {axis.grain.value}", **STACKED),
        "label": f"Cost per {axis.grain.value}: {total:,.2f} {currency} in all.",
    }

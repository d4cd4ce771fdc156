"""The events that webhooks hear of alerts by."""

from metering.models import AlertKind
from tenants.webhooks.kinds import EventKind

ALERT = "0b8e8a3e-6f0c-4d57-8a7e-4f4f0f2f7b11"
BUDGET = "5b0cbf7e-3b1b-4d59-8d0f-3f6f1f0a2c11"

THRESHOLD_REACHED = EventKind(
    name="budget.threshold_reached",
    title="A budget is used up by 50, 80, 95 or 100%",
    example={
        "alert": ALERT, "budget": BUDGET, "scope": "adapter", "adapter": "clause-summary", "key": None,
        "month": "2026-11", "threshold_percent": 80, "amount_usd": "500.000000", "spent_usd": "412.381920",
    },
)  # fmt: skip
FORECAST_EXCEEDED = EventKind(
    name="budget.forecast_exceeded",
    title="A budget will be used up before its month ends",
    example={
        "alert": ALERT, "budget": BUDGET, "scope": "all", "adapter": None, "key": None, "month": "2026-11",
        "amount_usd": "500.000000", "spent_usd": "212.400000", "forecast_usd": "631.250000",
        "forecast_low_usd": "540.100000", "forecast_high_usd": "722.400000", "used_up_on": "2026-11-24",
    },
)  # fmt: skip
ANOMALY = EventKind(
    name="usage.anomaly",
    title="Latency, failed requests or cost of an hour are unusually high",
    example={
        "alert": ALERT, "kind": "latency", "model": "clause-summary", "hour": "2026-11-28T14:00:00Z", "value": 3120.5,
        "usual": 980.2, "requests": 412,
    },
)  # fmt: skip

EVENTS = {
    AlertKind.BUDGET: THRESHOLD_REACHED,
    AlertKind.FORECAST: FORECAST_EXCEEDED,
    AlertKind.LATENCY: ANOMALY,
    AlertKind.ERRORS: ANOMALY,
    AlertKind.COST: ANOMALY,
}

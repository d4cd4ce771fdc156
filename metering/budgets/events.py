"""What webhooks hear of budgets."""

from tenants.webhooks.kinds import EventKind

EXAMPLE = {
    "budget": "0e3b7f0e-2c0d-4c1b-9d66-6a9d0b9d8c55",
    "by": "model",
    "value": "clause-summary",
    "month": "2026-11",
    "budget_usd": "200.00",
    "spent_usd": "160.412000",
    "alert": "8d1f7f0e-2f0c-4c8e-9c55-2a5ad2f3c0b1",
    "title": "80% of the budget for clause-summary is used",
    "text": "$160.41 of $200.00 were spent in November 2026.",
}
REACHED = EventKind(
    name="budget.threshold_reached",
    title="A threshold of a budget was reached",
    example={**EXAMPLE, "threshold_percent": 80},
)
FORECAST = EventKind(
    name="budget.forecast_exceeded",
    title="A budget will not last until the end of the month",
    example={**EXAMPLE, "forecast_usd": "231.870000", "exhausted_on": "2026-11-27"},
)
KINDS = (REACHED, FORECAST)

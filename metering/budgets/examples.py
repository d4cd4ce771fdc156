"""OpenAPI examples of budgets."""

from drf_spectacular.utils import OpenApiExample

NEW = OpenApiExample(
    "A budget for one adapter",
    request_only=True,
    value={
        "adapter": "clause-summary", "amount_usd": "500.00", "note": "Agreed with finance",
        "recipients": ["finance@alder.example"],
    },
)  # fmt: skip
RAISED = OpenApiExample("Another amount", request_only=True, value={"amount_usd": "800.00"})
TOLD = OpenApiExample("Other people who are told", request_only=True, value={"recipients": ["finance@alder.example"]})
A_BUDGET = OpenApiExample(
    "A budget that is nearly used up",
    response_only=True,
    value={
        "id": "5b0cbf7e-3b1b-4d59-8d0f-3f6f1f0a2c11", "scope": "adapter", "adapter": "clause-summary", "key": None,
        "amount_usd": "500.00", "note": "Agreed with finance", "recipients": ["finance@alder.example"],
        "set_at": "2026-11-02T09:12:00Z", "month": "2026-11-01",
        "spent_usd": "412.381920", "used_percent": 82.48, "requests_without_cost": 12, "seconds_without_cost": 0.0,
        "calls_without_cost": 0, "gb_months_without_cost": 0.0,
        "counted_at": "2026-11-24T10:05:00Z", "forecast_usd": "531.250000",
        "forecast_low_usd": "505.100000", "forecast_high_usd": "557.400000", "used_up_on": "2026-11-29",
    },
)  # fmt: skip

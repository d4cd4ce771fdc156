"""OpenAPI examples of alerts."""

from drf_spectacular.utils import OpenApiExample

from metering.alerts.kinds import ALERT, THRESHOLD_REACHED

NOTE = OpenApiExample("With a note", request_only=True, value={"note": "Finance knows."})
UNTIL = OpenApiExample("Until Monday", request_only=True, value={"until": "2026-11-30T08:00:00Z"})
AN_ALERT = OpenApiExample(
    "A budget that is nearly used up",
    response_only=True,
    value={
        "id": ALERT,
        "kind": "budget",
        "title": "Adapter clause-summary: 82% of the budget used",
        "text": "Adapter clause-summary: $412.38 of $500.00 were used in November 2026 (UTC), 82% of the budget.",
        "data": {name: value for name, value in THRESHOLD_REACHED.example.items() if name != "alert"},
        "created_at": "2026-11-24T10:05:00Z",
        "seen_at": "2026-11-24T10:05:00Z",
        "ended_at": None,
        "acknowledged_at": None,
        "acknowledged_by": None,
        "note": "",
        "snoozed_until": None,
    },
)

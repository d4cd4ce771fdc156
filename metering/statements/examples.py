"""OpenAPI examples of statements."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

_SUMMARY: dict[str, Any] = {
    "month": "2026-10",
    "number": "alder-law-2026-10",
    "state": "closed",
    "closed_at": "2026-11-04T00:00:12Z",
    "currency": "USD",
    "use": "212.414853",
    "adjustments": "-25.000000",
    "due": "187.414853",
    "shown_due": "187.41",
    "provider": "0.384000",
    "unknown": 0,
    "sha256": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
}

STATEMENTS = OpenApiExample("A closed month", response_only=True, value={"results": [_SUMMARY]})
STATEMENT = OpenApiExample(
    "A closed month with its lines",
    response_only=True,
    value={
        **_SUMMARY,
        "organisation": "Alder Law",
        "sharing": "What an endpoint costs in an hour is its running time at the price of that hour; …",
        "lines": [
            {
                "group": "clause-summary", "kind": "serving", "title": "Serving on shared", "detail": "12,401 requests",
                "quantity": "140.207824", "unit": "instance-hour", "unit_price": "1.515",
                "price_source": "AWS price list, 12 Aug 2026", "paid_to": "site", "amount": "212.414853",
                "shown": "212.41",
            },
            {
                "group": "Adjustments", "kind": "adjustment", "title": "Credit for the outage on 12 October",
                "detail": "Entered on 2 Nov 2026", "quantity": "", "unit": "", "unit_price": "",
                "price_source": "Set by your site’s operator", "paid_to": "site", "amount": "-25.000000",
                "shown": "-25.00",
            },
            {
                "group": "Judges and outside models", "kind": "judging", "title": "Judging: Strict",
                "detail": "96,000 input tokens, 14,400 output tokens", "quantity": "240", "unit": "call",
                "unit_price": "",
                "price_source": (
                    "Set on your judges, or the site’s price of the model: "
                    "paid to your provider: tokens × price per token"
                ),
                "paid_to": "provider", "amount": "0.384000", "shown": "0.38",
            },
        ],
    },
)  # fmt: skip

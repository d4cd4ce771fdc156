"""Examples and responses of decisions in the OpenAPI document."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

OPEN = OpenApiExample("Open a decision", request_only=True, value={"version": "0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11"})
REASON = OpenApiExample("A reason", request_only=True, value={"reason": "Two clauses came back without a date."})
POLICY = OpenApiExample(
    "Experts and an approval",
    request_only=True,
    value={
        "adapter": "6b0c0b52-8f0e-4f6e-9a39-6f4f0c1f2a11",
        "document": {
            "conditions": [
                {"kind": "metric", "metric": "exact_match", "against": "live", "needs": "not_worse", "margin": 0.02},
                {"kind": "experts", "verdict": "pass", "threshold": 0.7},
                {"kind": "approvals", "people": 1},
            ]
        },
    },
)
CLOSED = OpenApiResponse(
    OpenApiTypes.OBJECT, "It is closed, you trained the version, or its policy allows no override (problem+json)."
)
NOT_OPENED = OpenApiResponse(OpenApiTypes.OBJECT, "Not evaluated, or a decision is open already (problem+json).")

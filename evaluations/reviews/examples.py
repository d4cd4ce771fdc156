"""Examples of reviews for the OpenAPI document, and what can go wrong."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

NEW_ROUND = OpenApiExample(
    "60 answers, each graded by two experts",
    request_only=True,
    value={
        "evaluation": "3f0c6a9e-2f44-4a0b-8d4a-7c8f6c1f7d11",
        "answers": 60,
        "reviewers_per_item": 2,
        "reviewers": ["dana@example.com", "rita@example.com"],
        "due_on": "2026-12-11",
    },
)

BY_CRITERIA = OpenApiExample(
    "By criteria",
    request_only=True,
    value={
        "grades": {"Facts are right": 4, "House style": 5},
        "comment": "The notice period is wrong.",
        "marks": [{"start": 12, "end": 19, "text": "30 days", "note": "90 days"}],
        "correction": "TERMINATION - 90 days' notice.",
        "seconds": 31.5,
    },
)
WITHOUT_RUBRIC = OpenApiExample("Without a rubric", request_only=True, value={"grade": 4, "seconds": 18})
OF_A_PAIR = OpenApiExample("Of a pair", request_only=True, value={"choice": "first"})

CLOSED = OpenApiResponse(OpenApiTypes.OBJECT, "The round is closed (problem+json).")
NOT_READY = OpenApiResponse(OpenApiTypes.OBJECT, "The evaluation is not ready for review (problem+json).")
NO_PERSON = OpenApiResponse(OpenApiTypes.OBJECT, "The API key has no owner (problem+json).")

"""Examples of reviews for the OpenAPI document, and what can go wrong."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

NEW_REVIEW = OpenApiExample(
    "Grade an answer",
    request_only=True,
    value={"item": "0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11", "grade": 4, "comment": "The notice period is right."},
)

NOT_READY = OpenApiResponse(OpenApiTypes.OBJECT, "The evaluation is not ready for review (problem+json).")
NO_PERSON = OpenApiResponse(OpenApiTypes.OBJECT, "The API key has no owner (problem+json).")

"""Examples and responses of the REST document."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

BODY: dict[str, Any] = {
    "rules": [
        {"kind": "keyword", "texts": ["invoice", "refund", "payment"], "target": "billing"},
        {"kind": "pattern", "texts": [r"\bORD-\d{6}\b"], "target": "orders"},
    ],
    "default": "tiny-llama",
    "classifier": "examples",
    "floor": 0.7,
    "targets": [
        {"name": "billing", "description": "Invoices, payments and refunds"},
        {"name": "orders", "description": "Orders and delivery", "examples": ["Where is my parcel?"]},
    ],
}
NEW = OpenApiExample("Route a service desk", request_only=True, value={"name": "desk", **BODY})
CHANGED = OpenApiExample("Replace it", request_only=True, value={**BODY, "revision": 3})
PROMPTS = OpenApiExample("Two prompts", request_only=True, value={"prompts": ["I want a refund", "Good morning"]})

WRONG = OpenApiResponse(
    OpenApiTypes.OBJECT, "A rule can’t be used, or names no live model; see `field` (problem+json)."
)
TAKEN = OpenApiResponse(OpenApiTypes.OBJECT, "The name is taken, or you have 50 routers (problem+json).")
CHANGED_MEANWHILE = OpenApiResponse(OpenApiTypes.OBJECT, "Somebody else changed it meanwhile (problem+json).")

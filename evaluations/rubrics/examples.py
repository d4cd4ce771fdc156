"""OpenAPI examples of rubrics."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from evaluations.rubrics.preview import prompts
from evaluations.rubrics.starting import starters

STARTER = starters()["classification"]
RUBRIC = {
    "id": "0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11",
    "name": STARTER.name,
    "version": 1,
    "sha256": STARTER.sha256,
    "document": STARTER.to_dict(),
    "created_at": "2026-11-27T17:00:00Z",
    "changed_at": "2026-11-27T17:00:00Z",
}
A_RUBRIC = OpenApiExample("A rubric", RUBRIC, response_only=True)
NEW_JSON = OpenApiExample("As JSON", {"document": STARTER.to_dict()}, request_only=True)
NEW_YAML = OpenApiExample("As YAML", {"yaml": STARTER.to_yaml()}, request_only=True)
A_ROW = OpenApiExample(
    "A row", {"messages": [{"role": "user", "content": "Which class?"}], "answer": "Complaint"}, request_only=True
)
ROWS_OF_A_VERSION = OpenApiExample(
    "Five rows of a dataset version",
    {"dataset_version": "3a0f6e1c-52a1-4f0e-8d25-0b1c7a4e9d33"},
    request_only=True,
)
NAME, PROMPT = prompts(STARTER)[0]
A_PROMPT = OpenApiExample(
    "A prompt",
    {
        "row": None,
        "criterion": NAME,
        "system": PROMPT.system,
        "user": PROMPT.user,
        "sha256": PROMPT.sha256,
        "cut": False,
    },
    response_only=True,
)
TAKEN = OpenApiResponse(OpenApiTypes.OBJECT, "`rubric:name_taken` (problem+json).")
WRONG = OpenApiResponse(OpenApiTypes.OBJECT, "`rubric:wrong_document`: the text says where and why (problem+json).")
IN_USE = OpenApiResponse(OpenApiTypes.OBJECT, "`rubric:in_use`: answers were judged by it (problem+json).")

"""OpenAPI examples of datasets."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from corpora.versions.examples import MAPPING, VERSION

DATASET = {
    "id": VERSION["dataset"],
    "name": "Clauses",
    "description": "",
    "created_at": "2026-11-22T17:00:00Z",
    "version": VERSION,
}


NEW_DATASET = OpenApiExample(
    "A file and a name",
    {"name": "Clauses", "file": "(the content of clauses.jsonl)"},
    request_only=True,
    media_type="multipart/form-data",
)


MAPPED_DATASET = OpenApiExample(
    "A file whose columns are “query” and “response”",
    {"name": "Support", "file": "(the content of support.jsonl)", "options": MAPPING},
    request_only=True,
    media_type="multipart/form-data",
)


PREFERENCES = OpenApiExample(
    "Preference data, of which the chosen answers are learnt",
    {"name": "Preferred", "file": "(the content of preferences.jsonl)", "options": {"preferences": "chosen"}},
    request_only=True,
    media_type="multipart/form-data",
)


A_DATASET = OpenApiExample("A dataset whose version is being checked", DATASET, response_only=True)


TAKEN = OpenApiResponse(OpenApiTypes.OBJECT, "`dataset:name_taken` or `dataset:gone` (problem+json).")


NOT_EMPTY = OpenApiResponse(
    OpenApiTypes.OBJECT, "`dataset:not_empty`: delete its versions and uploads first (problem+json)."
)


RENAMED = OpenApiExample("A new name", {"name": "Clauses, house style"}, request_only=True)

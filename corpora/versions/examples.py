"""OpenAPI examples and error responses of versions."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

SITE = "https://portal.example/"
VERSION_ID = "5e1d6a52-6a1b-4d41-9a35-4f6f0d9f5a01"
VERSION = {
    "id": VERSION_ID,
    "dataset": "c2b9c6a7-0a8e-4b7f-8a3c-1e2d3f405162",
    "number": 1,
    "state": "checking",
    "job": {"id": "0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11", "state": "running", "fraction": 0.4},
    "error": None,
    "file_name": "clauses.jsonl",
    "file_format": "",
    "upload_bytes": 48211,
    "upload_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "rows_sha256": "",
    "row_count": 0,
    "train_count": 0,
    "test_count": 0,
    "problem_count": 0,
    "options": {"bad_rows": "refuse", "personal_data": "keep", "test_share": 0.1, "seed": 0},
    "derived_from": None,
    "personal_data_kept_at": None,
    "links": {
        "self": f"{SITE}api/v1/dataset-versions/{VERSION_ID}/",
        "rows": f"{SITE}api/v1/dataset-versions/{VERSION_ID}/rows/",
        "findings": f"{SITE}api/v1/dataset-versions/{VERSION_ID}/findings/",
        "diff": f"{SITE}api/v1/dataset-versions/{VERSION_ID}/diff/",
        "uses": f"{SITE}api/v1/dataset-versions/{VERSION_ID}/uses/",
        "recheck": f"{SITE}api/v1/dataset-versions/{VERSION_ID}/recheck/",
        "export_rows": f"{SITE}api/v1/dataset-versions/{VERSION_ID}/export/?content=rows",
        "export_findings": f"{SITE}api/v1/dataset-versions/{VERSION_ID}/export/?content=findings",
        "page": f"{SITE}datasets/versions/{VERSION_ID}/",
    },
    "created_at": "2026-11-22T17:00:00Z",
}
REJECTION = {
    "state": "rejected",
    "error": {
        "code": "dataset:missing_field",
        "text": "Line 3, completion: “completion” is missing. Fill it in, or take the row out.",
    },
    "file_format": "jsonl",
    "row_count": 39,
    "problem_count": 1,
    "problems": [
        {
            "line": 3,
            "field": "completion",
            "code": "dataset:missing_field",
            "text": "“completion” is missing. Fill it in, or take the row out.",
        }
    ],
    "profile": {"layout": "prompt and completion", "position": "line", "warnings": []},
}
NEW_VERSION = OpenApiExample(
    "A file", {"file": "(the content of clauses.jsonl)"}, request_only=True, media_type="multipart/form-data"
)
MAPPING = {"columns": {"prompt": "query", "completion": "response"}}
MAPPED_VERSION = OpenApiExample(
    "A file whose columns are “query” and “response”",
    {"file": "(the content of support.jsonl)", "options": MAPPING},
    request_only=True,
    media_type="multipart/form-data",
)
A_VERSION = OpenApiExample("A version that is being checked", VERSION, response_only=True)
A_REJECTION = OpenApiExample("A rejected version", VERSION | REJECTION, response_only=True)

WRONG = OpenApiResponse(
    OpenApiTypes.OBJECT,
    "The file is missing or empty (`dataset:empty_file`), the name is missing, or an option is invalid "
    "(`dataset:wrong_option`, with its `field`) (problem+json).",
)
WRONG_QUERY = OpenApiResponse(OpenApiTypes.OBJECT, "A query parameter is invalid (problem+json).")
SAME = OpenApiResponse(
    OpenApiTypes.OBJECT,
    "`dataset:same_file`: the dataset has this file, `version` is its version's id; or `dataset:gone` (problem+json).",
)
TOO_LARGE = OpenApiResponse(OpenApiTypes.OBJECT, "`dataset:too_large` (problem+json).")
AWAY = OpenApiResponse(
    OpenApiTypes.OBJECT, "`platform:storage_unavailable`: nothing was kept; send it again (problem+json)."
)
FULL = OpenApiResponse(OpenApiTypes.OBJECT, "`platform:disk_full`: nothing was kept; send it again (problem+json).")

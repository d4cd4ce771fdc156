"""OpenAPI examples and error responses of uploads."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from corpora.versions.examples import VERSION

SITE = "https://portal.example/api/v1/uploads/7d9f2c1e-4b1a-4f0e-8a54-0d3b1c2e4f60/"
INSPECTION = {
    "upload_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "bytes": 48211,
    "packed": False,
    "file_format": "csv",
    "packing": "",
    "encoding": "windows-1252",
    "converted": [{"line": 7, "text": "Where is the café?;On the ground floor."}],
    "delimiter": ";",
    "layout": "prompt and completion",
    "position": "line",
    "columns": ["Question", "Answer"],
    "mapping": {"prompt": "Question", "completion": "Answer"},
    "guessed": ["prompt", "completion"],
    "proposed": [],
    "ignored": [],
    "sample": [{"Question": "What is a lien?", "Answer": "A claim on property."}],
    "rows": [
        {
            "id": "1c0f8e7a6b5d4c3b2a19087f6e5d4c3b",
            "slice": "all",
            "label": None,
            "messages": [
                {"role": "user", "content": "What is a lien?"},
                {"role": "assistant", "content": "A claim on property."},
            ],
        }
    ],
    "rows_read": 50,
    "rows_with_problems": 0,
    "row_count": 300,
    "notices": {"dataset:personal_email": 2},
    "problems": [],
    "warnings": [
        {
            "code": "dataset:converted",
            "count": 1,
            "text": "Converted from Windows-1252. Check the accented characters in the preview.",
            "lines": [],
            "decision": "",
        }
    ],
    "schema": 1,
}
UPLOAD = {
    "id": "7d9f2c1e-4b1a-4f0e-8a54-0d3b1c2e4f60",
    "file_name": "clauses.csv",
    "bytes": 48211,
    "received": 0,
    "state": "receiving",
    "dataset": None,
    "dataset_name": "clauses",
    "options": {"columns": {"prompt": "Question", "completion": "Answer"}},
    "confirm": False,
    "sha256": "",
    "inspection": None,
    "error": None,
    "job": None,
    "version": None,
    "created_at": "2026-11-22T17:00:00Z",
    "expires_at": "2026-11-23T17:00:00Z",
    "links": {
        "self": SITE,
        "inspect": f"{SITE}inspect/",
        "confirm": f"{SITE}confirm/",
        "page": "https://portal.example/datasets/uploads/7d9f2c1e-4b1a-4f0e-8a54-0d3b1c2e4f60/",
    },
}

WHOLE = UPLOAD | {"state": "inspecting", "received": 48211, "job": VERSION["job"]}
SEEN = WHOLE | {"state": "waiting", "sha256": INSPECTION["upload_sha256"], "inspection": INSPECTION}

RECEIVING = OpenApiExample("A new upload", UPLOAD, response_only=True)
INSPECTING = OpenApiExample("An upload that is being inspected", WHOLE, response_only=True)
WAITING = OpenApiExample("An upload that needs review", SEEN, response_only=True)
CONFIRMED = OpenApiExample(
    "An imported upload", SEEN | {"state": "done", "expires_at": None, "version": VERSION}, response_only=True
)
LISTED = OpenApiExample(
    "A new upload",
    {name: value for name, value in UPLOAD.items() if name != "inspection"},
    response_only=True,
)
NEW = OpenApiExample(
    "A file for a new dataset", {"file_name": "clauses.csv", "bytes": 48211, "name": "Clauses"}, request_only=True
)
OTHER_ENCODING = OpenApiExample(
    "Another format and encoding",
    {"options": {"file_format": "json", "encoding": "windows-1252"}},
    request_only=True,
)
OTHER_OPTIONS = OpenApiExample(
    "Other columns", {"options": {"columns": {"prompt": "Question", "completion": "Answer"}}}, request_only=True
)
CONFIRMATION = OpenApiExample(
    "Leave out rows with problems", {"name": "Clauses", "options": {"bad_rows": "leave_out"}}, request_only=True
)
PARTS = OpenApiExample(
    "Two parts to send",
    {
        "received": 0,
        "parts": [
            {"number": 1, "offset": 0, "bytes": 16777216, "url": "https://bucket.s3.amazonaws.com/...partNumber=1"},
            {"number": 2, "offset": 16777216, "bytes": 91, "url": "https://bucket.s3.amazonaws.com/...partNumber=2"},
        ],
    },
    response_only=True,
)


def _problem(text: str) -> OpenApiResponse:
    return OpenApiResponse(OpenApiTypes.OBJECT, f"{text} (problem+json).")


NO_ROOM = _problem("`dataset:quota_exceeded`: `used_bytes` of `limit_bytes` are used")
TOO_LARGE = _problem("`dataset:too_large`, or `upload:too_many_bytes`: more bytes than announced")
OTHER_VERSION = _problem("`upload:wrong_version`: unsupported version of the tus protocol")
WRONG_OFFSET = _problem("`upload:wrong_offset`: continue from `received`; or `upload:not_receiving`")
GONE = _problem("`upload:gone`: it was cancelled or has expired")
BUSY = _problem("`upload:busy`: another request is sending this file; try again")
AWAY = _problem("`platform:storage_unavailable`: received data is kept; try again")
FULL = _problem("`platform:disk_full`: received data is kept; continue later")
USED = _problem("`upload:already_used`: it was imported as a dataset version")
NO_PARTS = _problem("`upload:not_receiving`, or `upload:not_whole`: send the missing parts first")
NOT_WAITING = _problem("`upload:not_waiting`, or `dataset:same_file`: the dataset has this file with the same options")

"""OpenAPI examples of rows, findings, diffs and uses of versions."""

from drf_spectacular.utils import OpenApiExample

BEFORE = "5e1d6a52-6a1b-4d41-9a35-4f6f0d9f5a01"
AFTER = "77c0b0ce-9f6c-4a51-8c1f-2b8f5f0f3c02"
ROW = {
    "number": 17,
    "line": 18,
    "split": "train",
    "id": "3d9c1b7f0a2e4c58b6d1e0f9a8c7b6d5",
    "slice": "rent",
    "label": None,
    "messages": [
        {"role": "user", "content": "Summarise: The tenant shall pay the rent on the first day of each month."},
        {"role": "assistant", "content": "Rent is due on the 1st."},
    ],
}
NONE = {"count": 0, "examples": []}

SOME_ROWS = OpenApiExample(
    "A row that matches",
    {"rows": [ROW], "next": 18, "searched": 17, "total": 1280},
    response_only=True,
)
SOME_FINDINGS = OpenApiExample(
    "A row that was left out",
    {
        "findings": [
            {
                "line": 3,
                "field": "completion",
                "code": "dataset:missing_field",
                "text": "“completion” is missing. Fill it in, or take the row out.",
                "kept": False,
            }
        ],
        "next": None,
    },
    response_only=True,
)
A_DIFF = OpenApiExample(
    "One added row and another seed",
    {
        "before": BEFORE,
        "after": AFTER,
        "rows": {
            "kept": 1279,
            "added": {"count": 1, "examples": [ROW]},
            "removed": NONE,
            "moved_to_train": NONE,
            "moved_to_test": NONE,
        },
        "options": [{"name": "seed", "before": 0, "after": 7}],
        "labels": [],
        "slices": [{"name": "rent", "before": 0.25, "after": 0.2506}],
    },
    response_only=True,
)
SOME_USES = OpenApiExample(
    "An adapter version",
    {
        "uses": [
            {
                "kind": "adapter version",
                "title": "clause-summary v2",
                "adapter": "clause-summary",
                "url": "https://portal.example/adapters/versions/0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11/",
                "created_at": "2026-11-22T17:00:00Z",
            }
        ]
    },
    response_only=True,
)
MASK = OpenApiExample("Mask personal data", {"options": {"personal_data": "mask"}}, request_only=True)
LEAVE_OUT = OpenApiExample("Leave out rows with problems", {"options": {"bad_rows": "leave_out"}}, request_only=True)
CLEAN = OpenApiExample(
    "Several changes in one version",
    {"options": {"bad_rows": "leave_out", "personal_data": "mask", "leaks": "leave_out", "near_leaks": "leave_out"}},
    request_only=True,
)
EXPORTED = OpenApiExample(
    "A line of rows",
    '{"row":17,"line":18,"id":"3d9c…","split":"train","slice":"rent","label":null,"messages":[…]}\n',
    response_only=True,
    media_type="application/x-ndjson",
)
EXPORTED_CSV = OpenApiExample(
    "Findings as CSV",
    "line,field,code,text,kept\r\n3,completion,dataset:missing_field,“completion” is missing.,no\r\n",
    response_only=True,
    media_type="text/csv",
)

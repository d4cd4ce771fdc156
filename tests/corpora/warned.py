"""The profile of a version whose check found what matters later."""

from typing import Any

NEAR_LEAK = "16 of 18 test rows are much like training rows: results look better than they are."
LEAK = "4 of 18 test rows have the prompt of a training row: results look better than they are."
EMAIL = "3 rows contain an e-mail address, which the adapter may repeat."


def warned(**more: tuple[int, str]) -> dict[str, Any]:
    """Warnings of a profile as they are stored; `more` are (count, decision) by code without its prefix."""
    found = [
        {"code": "dataset:leak", "count": 2, "decision": "leaks", "test_rows": 4, "test_rows_read": 18},
        {"code": "dataset:near_leak", "count": 16, "decision": "", "test_rows": 16, "test_rows_read": 18},
        {"code": "dataset:personal_email", "count": 3, "decision": "personal_data"},
        *({"code": f"dataset:{code}", "count": n, "decision": decision} for code, (n, decision) in more.items()),
    ]
    return {"warnings": [{"text": "", "lines": [1]} | notice for notice in found]}

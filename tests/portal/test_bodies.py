"""What is no JSON is a problem of the caller's, wherever a body is taken."""

import pytest
from django.db.models import Model
from rest_framework.test import APIClient

from corpora.models import Dataset


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a": ' * 100_000,
        rb'{"overrides": {"\ud800": 1}}',
        rb'{"grid": {"\udfff": [1, 2]}}',
        rb'{"name": "\ud800"}',
        b'{"overrides": {"rank": NaN}}',
        b'{"name": "\xe9"}',
        b"1" * 5000,
        b"{",
    ],
)
def test_a_body_that_is_no_json_is_refused(api: APIClient, world: dict[type[Model], Model], body: bytes) -> None:
    for method, path in (
        ("POST", "training-runs/"),
        ("POST", "sweeps/"),
        ("POST", "uploads/"),
        ("PATCH", f"datasets/{world[Dataset].pk}/"),
    ):
        # The stubs know of text only.
        answer = api.generic(method, f"/api/v1/{path}", body, content_type="application/json")  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["code"]) == (400, "request:parse_error"), path


def test_every_character_may_come_as_an_escape(api: APIClient, world: dict[type[Model], Model]) -> None:
    url, body = f"/api/v1/datasets/{world[Dataset].pk}/", r'{"name": "\ud83d\ude00 \u00e9"}'
    assert api.generic("PATCH", url, body, content_type="application/json").json()["name"] == "😀 é"

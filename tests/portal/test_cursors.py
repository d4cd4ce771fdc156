"""Lists are cursor pages; what is no cursor of a list is not found, on every list."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import Model
from rest_framework.test import APIClient

from tests.portal.addresses import REST
from tests.portal.asking import url_of

WHOLE = {"adapter-costs-list", "focus-list", "statement-list", "usage-list"}
"""Documents and short lists, which have no pages."""
LISTS = [name for name in sorted(REST) if name.endswith(("-list", "evaluation-items")) and name not in WHOLE]
# No date, no text that PostgreSQL takes, no such month, no number, no place in a list.
ODD = ("p=20.26", "p=%00", "p=2026-13-01", "p=" + "9" * 5000, "p=", "o=-1")


@pytest.mark.parametrize("name", LISTS)
def test_what_is_no_cursor_is_not_found(name: str, world: dict[type[Model], Model], api: APIClient) -> None:
    for odd in ODD:
        answer = api.get(url_of(name, world), {"cursor": b64encode(odd.encode()).decode()})
        assert (answer.status_code, answer.json()["title"]) == (404, "Invalid cursor"), odd


def test_pages_lead_through_a_list_and_back(world: dict[type[Model], Model], api: APIClient) -> None:
    everything = [job["id"] for job in api.get("/api/v1/jobs/").json()["results"]]
    assert len(everything) > 2
    first = api.get("/api/v1/jobs/", {"page_size": 1}).json()
    there = list(followed(api, first, "next"))
    back = list(followed(api, there[-1], "previous"))
    assert [page["results"][0]["id"] for page in there] == everything
    assert [page["results"][0]["id"] for page in back] == everything[::-1]


def followed(api: APIClient, page: dict[str, Any], link: str) -> Iterator[dict[str, Any]]:
    """This page and those that its links lead to."""
    yield page
    while page[link]:
        page = api.get(page[link]).json()
        yield page

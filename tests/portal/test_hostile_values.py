"""Whatever stands in an address or a query, a person or a program is told that it is wrong; nothing answers 500."""

from itertools import product
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from tests.portal.addresses import ADDRESSES, PAGES, REST, STAFF
from tests.portal.asking import ask, filled, newly_come, undone, url_of

pytestmark = pytest.mark.slow

IDS = ("abc", "-1", "%00", "%0A", "9" * 300, "00000000-0000-0000-0000-00000000000g")
VALUES = ("abc", "\0", "-1", "9" * 300, "NaN", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "\u202e[")

PAGE_QUERIES = (
    "page", "q", "tab", "range", "state", "item", "dataset", "clone", "run", "number", "content", "file_type", "alias",
    "example", "format", "differences", "adapter", "split", "slice", "label", "code", "against", "next", "cursor",
    "sort",
)  # fmt: skip
"""Every name that a page reads from its query."""


def queries_of_rest() -> dict[str, list[str]]:
    """The query parameters of each path that REST documents."""
    headers = {"Accept": "application/vnd.oai.openapi+json"}
    paths: dict[str, Any] = Client().get(reverse("openapi"), headers=headers).json()["paths"]
    return {
        path: [item["name"] for item in operations["get"].get("parameters", []) if item["in"] == "query"]
        for path, operations in paths.items()
        if "get" in operations
    }


def test_what_is_no_id_is_not_found(world: dict[type[Model], Model], as_alice: Client) -> None:
    for name, known in REST.items():
        if known.row:
            url, real = url_of(name, world), str(world[known.row].pk)
            for odd, method in product(IDS, known.own):
                sent = {} if method == "GET" else filled(known.sent, world)
                with undone():
                    status = ask(as_alice, method, url.replace(real, odd), sent).status_code
                assert status == 404, (name, method, odd)


def test_no_query_of_rest_is_an_internal_error(world: dict[type[Model], Model], as_alice: Client) -> None:
    asked = queries_of_rest()
    assert len(asked) > 20
    by_path = {url_of(name, world): ADDRESSES[name].row for name in REST}
    for path, names in asked.items():
        for url in [url for url, row in by_path.items() if _without_id(url, row, world) == _template(path)]:
            for name in names:
                for odd in VALUES:
                    answer = as_alice.get(url, {name: odd})
                    assert answer.status_code < 500, (url, name, odd)


def test_no_query_of_a_page_is_an_internal_error(
    world: dict[type[Model], Model], as_alice: Client, as_olga: Client
) -> None:
    for name in (name for name, known in (PAGES | STAFF).items() if "GET" in known.own):
        url, caller = url_of(name, world), as_olga if name in STAFF else as_alice
        for odd in VALUES:
            with undone():
                answer = newly_come(caller).get(url, dict.fromkeys(PAGE_QUERIES, odd))
            assert answer.status_code < 500, (name, odd)


def test_no_value_in_an_operators_form_is_an_internal_error(world: dict[type[Model], Model], as_olga: Client) -> None:
    for name in (name for name, known in STAFF.items() if "POST" in known.own):
        url, sent = url_of(name, world), STAFF[name].sent
        for field, odd in product(sent, VALUES):
            with undone():
                answer = ask(as_olga, "POST", url, {**filled(sent, world), field: odd})
            assert answer.status_code < 500, (name, field, odd)


def _without_id(url: str, row: type[Model] | None, world: dict[type[Model], Any]) -> str:
    return url.replace(str(world[row].pk), "{}") if row else url


def _template(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))

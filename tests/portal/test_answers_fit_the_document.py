"""What REST answers is what the OpenAPI document says, as a client that was generated from it expects."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from jsonschema import Draft202012Validator
from rest_framework.test import APIClient

from tests.portal.addresses import REST
from tests.portal.asking import url_of

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PAGING = {"cursor", "page_size"}
# Its answer to a wrong format is that nothing is there; `q` takes every text.
NO_FILTERS = {*PAGING, "format", "q"}


@pytest.fixture
def document(db: None) -> Any:
    return Client().get(reverse("openapi"), headers={"Accept": "application/vnd.oai.openapi+json"}).json()


@pytest.fixture
def reads(document: Any, world: dict[type[Model], Model]) -> dict[str, str]:
    """Addresses of one row of everything, by their paths in the document."""
    urls = [url_of(name, world) for name in REST]
    found = {ID.sub("{id}", url): url for url in urls}
    return {path: url for path, url in found.items() if "get" in document["paths"].get(path, {})}


def complaints(document: Any, path: str, answer: Any) -> Iterator[str]:
    """Why an answer to GET is none that the document promises."""
    said = f"{path} {answer.status_code}"
    promised = document["paths"][path]["get"]["responses"].get(str(answer.status_code), {}).get("content", {})
    kind = answer["Content-Type"].split(";")[0]
    if kind not in promised:
        yield f"{said} {kind} is not promised"
    elif kind.endswith(("/json", "+json")):
        schema = {**promised[kind]["schema"], "components": document["components"]}
        validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
        yield from (f"{said}: {error.json_path} {error.message}" for error in validator.iter_errors(answer.json()))


def test_what_is_there_fits(document: Any, reads: dict[str, str], as_alice: Client) -> None:
    assert len(reads) > 30
    answers = {path: as_alice.get(url) for path, url in reads.items()}
    assert {path: a.status_code for path, a in answers.items() if a.status_code != 200} == {}
    assert [said for path, answer in answers.items() for said in complaints(document, path, answer)] == []


def test_pages_before_and_after_fit(document: Any, world: dict[type[Model], Model], api: APIClient) -> None:
    page = api.get("/api/v1/jobs/", {"page_size": 1})
    while url := page.json()["next"]:
        assert list(complaints(document, "/api/v1/jobs/", page)) == []
        page = api.get(url)
    assert page.json()["previous"]
    assert list(complaints(document, "/api/v1/jobs/", page)) == []


def test_problems_fit(document: Any, reads: dict[str, str], api: APIClient, as_rita: Client) -> None:
    problems: list[tuple[str, int | None, Any]] = []
    for path, url in reads.items():
        query = {p["name"] for p in document["paths"][path]["get"].get("parameters", []) if p["in"] == "query"}
        problems += [(path, 401, Client().get(url)), (path, None, as_rita.get(url))]
        if "{id}" in path:
            problems.append((path, 404, api.get(ID.sub(str(uuid4()), url))))
        if query >= PAGING:
            problems.append((path, 404, api.get(url, {"cursor": "cD0yMDI2LTk5"})))
        problems += [(path, None, api.get(url, {name: "no-such-value"})) for name in query - NO_FILTERS]
    assert {answer.status_code for _, _, answer in problems} >= {400, 401, 403, 404}
    assert [(p, code, a.status_code) for p, code, a in problems if code and a.status_code != code] == []
    assert [said for path, _, answer in problems for said in complaints(document, path, answer)] == []


def test_nothing_is_left_of_older_openapi(document: Any) -> None:
    assert "nullable" not in str(document)

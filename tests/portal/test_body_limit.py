"""A request that is too large is refused before any of it is read."""

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

FORM = "multipart/form-data; boundary=x"


def test_a_form_above_the_limit_is_refused_and_told_the_other_way(api: APIClient, settings: Settings) -> None:
    settings.MAX_FORM_BYTES = 1000
    answer = api.generic("POST", "/api/v1/datasets/", "", content_type=FORM, CONTENT_LENGTH="1001")
    assert (answer.status_code, answer["Content-Type"]) == (413, "application/problem+json")
    assert (answer.json()["code"], answer.json()["limit_bytes"]) == ("request:too_large", 1000)
    assert "/api/v1/uploads/" in answer.json()["title"]


def test_a_person_reads_it_on_a_page(api: APIClient, settings: Settings) -> None:
    settings.MAX_FORM_BYTES = 1000
    page = api.generic("POST", "/datasets/upload/", "", content_type=FORM, CONTENT_LENGTH="1001")
    assert page.status_code == 413
    assert "A request can be at most" in page.content.decode()


def test_a_form_within_the_limit_is_read(api: APIClient, settings: Settings) -> None:
    settings.MAX_FORM_BYTES = 1000
    answer = api.post("/api/v1/datasets/", {"name": "Clauses"}, format="multipart")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "file")


def test_any_other_body_has_the_smaller_limit(api: APIClient) -> None:
    length = str(6 << 20)
    answer = api.generic("POST", "/api/v1/jobs/", "", content_type="application/json", CONTENT_LENGTH=length)
    assert answer.status_code == 413


def test_bytes_that_are_streamed_are_left_to_their_view(api: APIClient) -> None:
    streamed = "application/offset+octet-stream"
    answer = api.generic("POST", "/api/v1/jobs/", "", content_type=streamed, CONTENT_LENGTH="99999999999")
    assert answer.status_code == 405

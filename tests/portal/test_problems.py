"""Errors over REST are problem+json with a stable code."""

import pytest
from django.test import Client
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.test import APIClient

from rest.errors import Conflict
from rest.problems import exception_handler


def handled(error: Exception) -> Response:
    response = exception_handler(error, {})
    assert response is not None
    return response


def test_a_portal_error_keeps_code_text_and_facts() -> None:
    response = handled(Conflict("It is taken.", code="dataset:taken", field="name", line=3))
    assert response.status_code == 409
    assert response.data == {
        "type": "urn:adapter-portal:dataset:taken",
        "title": "It is taken.",
        "status": 409,
        "code": "dataset:taken",
        "field": "name",
        "line": 3,
    }


def test_validation_errors_name_each_field() -> None:
    response = handled(exceptions.ValidationError({"spec": {"rank": ["Too large."]}, "name": ["Missing."]}))
    assert {e["field"] for e in response.data["errors"]} == {"spec.rank", "name"}


def test_an_unexpected_error_is_left_to_the_server() -> None:
    assert exception_handler(ZeroDivisionError(), {}) is None


def test_an_unknown_id_is_404(api: APIClient) -> None:
    response = api.get("/api/v1/jobs/00000000-0000-0000-0000-000000000000/")
    assert (response.status_code, response.json()["code"]) == (404, "request:not_found")
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.django_db
def test_an_unknown_address_is_json_for_programs_and_a_page_for_people(client: Client) -> None:
    program, person = client.get("/api/v1/nothing/"), client.get("/nothing/")
    assert (program.status_code, program["Content-Type"]) == (404, "application/problem+json")
    assert (person.status_code, person["Content-Type"]) == (404, "text/html; charset=utf-8")

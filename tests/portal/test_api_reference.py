"""The OpenAPI document and its page, open to everybody."""

from django.test import Client
from django.urls import reverse
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient


def test_a_stranger_may_read_the_whole_document(client: Client, db: None) -> None:
    response = client.get(reverse("openapi"), headers={"Accept": "application/vnd.oai.openapi+json"})
    assert response.status_code == 200
    document = response.json()
    validate_schema(document)  # type: ignore[no-untyped-call]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation.get("summary"), f"{method} {path} has no summary"
            if "{id}" in path:
                assert "404" in operation["responses"], f"{method} {path} does not document 404"


def test_it_is_the_same_with_a_key(client: Client, api: APIClient) -> None:
    headers = {"Accept": "application/vnd.oai.openapi+json"}
    assert client.get(reverse("openapi"), headers=headers).json() == api.get(reverse("openapi"), headers=headers).json()


def test_the_page_holds_no_inline_script(client: Client, db: None) -> None:
    for script in client.get(reverse("api-docs")).content.decode().split("<script")[1:]:
        assert " src=" in script.split(">")[0]

"""The OpenAPI document has request and response examples for every dataset endpoint."""

from collections.abc import Iterator
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from tenants.models import Tenant

PARTS = ("/datasets/", "/dataset-versions/", "/uploads/")


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    # drf-spectacular's generator has no type annotations.
    generator: Any = SchemaGenerator()  # type: ignore[no-untyped-call]
    paths = generator.get_schema(request=None, public=True)["paths"]
    for path, methods in paths.items():
        if any(part in path for part in PARTS):
            yield from ((f"{method} {path}", said) for method, said in methods.items() if method != "parameters")


def lacks_examples(said: dict[str, Any]) -> bool:
    taken = said.get("requestBody", {}).get("content", {})
    given = {
        kind: media
        for code, answer in said["responses"].items()
        if code < "3"
        for kind, media in answer.get("content", {}).items()
    }
    bodies = {kind: media for kind, media in taken.items() if "offset+octet-stream" not in kind}
    return any(media and not any("examples" in body for body in media.values()) for media in (bodies, given))


@pytest.mark.django_db
def test_every_operation_has_examples(in_tenant: Tenant) -> None:
    found = dict(operations())
    assert len(found) > 20
    assert [name for name, said in found.items() if lacks_examples(said)] == []

"""A file comes as what it is, whatever type the caller says it takes; and so does a problem."""

from uuid import uuid4

import pytest
from django.db.models import Model
from rest_framework.test import APIClient

from adapters.models import AdapterVersion
from corpora.models import DatasetVersion

FILES = [
    (AdapterVersion, "adapter-versions/{}/package/", "application/gzip"),
    (DatasetVersion, "dataset-versions/{}/export/", "application/x-ndjson"),
    (DatasetVersion, "dataset-versions/{}/export/?content=findings&file_type=csv", "text/csv; charset=utf-8"),
]


@pytest.mark.parametrize("accept", ["application/gzip", "application/octet-stream", "text/csv", "application/x-ndjson"])
@pytest.mark.parametrize(("model", "path", "kind"), FILES, ids=[kind for _, _, kind in FILES])
def test_a_download_is_never_unacceptable(
    api: APIClient, world: dict[type[Model], Model], model: type[Model], path: str, kind: str, accept: str
) -> None:
    answer = api.get(f"/api/v1/{path.format(world[model].pk)}", headers={"Accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (200, kind)
    missing = api.get(f"/api/v1/{path.format(uuid4())}", headers={"Accept": accept})
    assert (missing.status_code, missing["Content-Type"]) == (404, "application/problem+json")

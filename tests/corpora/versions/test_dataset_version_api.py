"""Rows, findings, changes and uses of a version over REST, and changes of a dataset."""

from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from rest_framework.test import APIClient

from adapters.models import Adapter, AdapterVersion, BaseModel, TrainingRun
from corpora.models import Dataset, DatasetVersion, VersionState
from evaluations.models import EvaluationRun
from jobs.models import Job
from tenants.models import Tenant
from tests.corpora.stored import chat, finding, stored_version

pytestmark = pytest.mark.django_db

VERSIONS = "/api/v1/dataset-versions"
DATASETS = "/api/v1/datasets"


@pytest.fixture
def dataset(in_tenant: Tenant) -> Dataset:
    return Dataset.objects.create(name="Clauses")


@pytest.fixture
def version(dataset: Dataset) -> DatasetVersion:
    rows = [chat(f"question {number:03}", label="x") for number in range(30)]
    found = [finding(line, "dataset:odd" if line % 2 else "dataset:even") for line in range(1, 31)]
    return stored_version(dataset, rows[:20], rows[20:], findings=found, lines=range(2, 32))


def get(api: APIClient, version: DatasetVersion, path: str, status: int = 200, **query: Any) -> Any:
    response = api.get(f"{VERSIONS}/{version.id}/{path}/", query)
    assert response.status_code == status, response.content
    return response.json()


def test_rows_are_read_to_the_end(api: APIClient, version: DatasetVersion) -> None:
    first = get(api, version, "rows", size=25)
    row = first["rows"][20]
    assert (row["number"], row["line"], row["split"], row["label"], row["slice"]) == (21, 22, "test", "x", "all")
    assert row["messages"] == [{"role": "user", "content": "question 020"}, {"role": "assistant", "content": "ok"}]
    assert len(row["id"]) == 32
    assert (first["next"], first["searched"], first["total"]) == (26, 25, 30)
    second = get(api, version, "rows", size=25, cursor=first["next"])
    assert ([row["number"] for row in second["rows"]], second["next"]) == ([26, 27, 28, 29, 30], None)


def test_rows_are_searched_within_a_split(api: APIClient, version: DatasetVersion) -> None:
    found = get(api, version, "rows", q="QUESTION 02", split="test")
    assert [row["number"] for row in found["rows"]] == list(range(21, 31))
    assert found["total"] == 10
    assert get(api, version, "rows", q="QUESTION 02", split="train")["rows"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "x"},
        {"cursor": -1},
        {"cursor": 10**30},
        {"size": 0},
        {"size": 201},
        {"split": "dev"},
        {"q": "x" * 201},
    ],
)
def test_a_wrong_query_names_its_field(query: dict[str, Any], api: APIClient, version: DatasetVersion) -> None:
    problem = get(api, version, "rows", 400, **query)
    assert problem["code"] == "request:invalid"
    assert problem["errors"][0]["field"] == next(iter(query))


def test_a_cursor_beyond_the_end_is_refused(api: APIClient, version: DatasetVersion) -> None:
    for path, cursor in (("rows", 31), ("rows", 0), ("findings", 7), ("findings", 10**12)):
        assert get(api, version, path, 400, cursor=cursor)["code"] == "request:bad_cursor"


def test_findings_are_read_by_code(api: APIClient, version: DatasetVersion) -> None:
    seen: list[int] = []
    cursor: int | None = 0
    while cursor is not None:
        part = get(api, version, "findings", code="dataset:odd", size=4, cursor=cursor)
        seen += [found["line"] for found in part["findings"]]
        cursor = part["next"]
    assert seen == list(range(1, 31, 2))
    assert get(api, version, "findings", size=1)["findings"] == [finding(1, "dataset:odd")]


def test_a_version_without_rows_says_so(api: APIClient, dataset: Dataset) -> None:
    rejected = stored_version(dataset, [], state=VersionState.REJECTED, findings_key="")
    for path in ("rows", "diff", "export"):
        assert get(api, rejected, path, 409)["code"] == "dataset:not_ready"
    assert get(api, rejected, "findings") == {"findings": [], "next": None}


def test_what_storage_has_lost_is_not_a_fault(api: APIClient, version: DatasetVersion) -> None:
    default_storage.delete(version.index_key)
    default_storage.delete(version.findings_key)
    for path in ("rows", "findings", "diff"):
        assert get(api, version, path, 503)["code"] == "platform:object_missing"


def test_a_diff_names_rows_options_and_shares(api: APIClient, version: DatasetVersion) -> None:
    labels = {"labels": [{"name": "x", "train": 1, "test": 0}]}
    after = stored_version(version.dataset, [chat("question 000"), chat("new")], options={"seed": 7}, profile=labels)
    found = get(api, after, "diff")
    assert (found["before"], found["after"]) == (str(version.id), str(after.id))
    assert (found["rows"]["kept"], found["rows"]["added"]["count"], found["rows"]["removed"]["count"]) == (1, 1, 29)
    assert found["rows"]["added"]["examples"][0]["messages"][0]["content"] == "new"
    assert found["options"] == [{"name": "seed", "before": None, "after": 7}]
    assert found["labels"] == [{"name": "x", "before": 0.0, "after": 1.0}]
    assert get(api, version, "diff", against=after.id)["rows"]["removed"]["count"] == 1
    assert get(api, version, "diff")["rows"]["kept"] == 30


def test_a_diff_stays_within_the_dataset(api: APIClient, other_api: APIClient, version: DatasetVersion) -> None:
    other = stored_version(Dataset.objects.create(name="Other"), [chat("a")])
    for against in (other.id, uuid4()):
        assert get(api, version, "diff", 404, against=against)["code"] == "portal:not_found"
    assert get(api, version, "diff", 400, against="x")["errors"][0]["field"] == "against"


def test_uses_name_trainings_versions_and_evaluations(api: APIClient, version: DatasetVersion) -> None:
    base_model = BaseModel.objects.create(name="base", title="Base", location="base")
    adapter = Adapter.objects.create(name="clauses", base_model=base_model)
    runs = [
        TrainingRun.objects.create(adapter=adapter, dataset_version=version, job=_job(), recipe="style")
        for _ in range(2)
    ]
    trained = AdapterVersion.objects.create(
        adapter=adapter, number=1, run=runs[0], package_key="x", package_sha256="1" * 64, package_bytes=1, rank=8
    )
    run = EvaluationRun.objects.create(version=trained, dataset_version=version, job=_job())
    uses = get(api, version, "uses")["uses"]
    assert [(use["kind"], use["title"], use["url"].removeprefix("http://testserver")) for use in uses] == [
        ("evaluation", "clauses v1", f"/evaluations/{run.id}/"),
        ("training", "clauses", f"/adapters/runs/{runs[1].id}/"),
        ("adapter version", "clauses v1", f"/adapters/versions/{trained.id}/"),
    ]
    assert get(api, stored_version(version.dataset, [chat("a")]), "uses") == {"uses": []}


def _job() -> Job:
    job: Job = Job.objects.create(kind="training", title="x")
    return job


def test_a_version_links_to_what_can_be_asked_of_it(api: APIClient, version: DatasetVersion) -> None:
    links = api.get(f"{VERSIONS}/{version.id}/").json()["links"]
    assert set(links) == {
        "self", "rows", "findings", "diff", "uses", "recheck", "export_rows", "export_findings", "page",
    }  # fmt: skip
    for name in set(links) - {"recheck", "page"}:
        assert api.get(links[name]).status_code == 200, name


def test_a_dataset_is_changed_in_part(api: APIClient, dataset: Dataset) -> None:
    Dataset.objects.create(name="Taken")
    url = f"{DATASETS}/{dataset.id}/"
    changed = api.patch(url, {"description": "Leases"}).json()
    assert (changed["name"], changed["description"]) == ("Clauses", "Leases")
    assert api.patch(url, {"name": "Rent"}).json()["name"] == "Rent"
    for body, status, code in (
        ({"name": "Taken"}, 409, "dataset:name_taken"),
        ({"name": " "}, 400, "request:invalid"),
        ({"name": "x" * 121}, 400, "request:invalid"),
    ):
        response = api.patch(url, body)
        assert (response.status_code, response.json()["code"]) == (status, code)
    assert api.patch(url, {"name": "x"}, format="multipart").status_code == 415
    dataset.refresh_from_db()
    assert (dataset.name, dataset.description) == ("Rent", "Leases")


def test_a_dataset_is_deleted_when_it_is_empty(api: APIClient, other_api: APIClient, version: DatasetVersion) -> None:
    url = f"{DATASETS}/{version.dataset_id}/"
    refused = api.delete(url)
    assert (refused.status_code, refused.json()["code"]) == (409, "dataset:not_empty")
    version.delete()
    assert other_api.delete(url).status_code == other_api.patch(url, {"name": "Mine"}).status_code == 404
    assert api.delete(url).status_code == 204
    assert api.get(url).status_code == 404


def test_another_tenant_reads_nothing(other_api: APIClient, version: DatasetVersion) -> None:
    for path in ("rows", "findings", "diff", "uses", "export"):
        assert get(other_api, version, path, 404)["code"] == "request:not_found"


def test_each_address_has_an_example(api: APIClient) -> None:
    paths = api.get("/api/v1/schema/", {"format": "json"}).json()["paths"]
    for name in ("rows", "findings", "diff", "uses", "export"):
        answers = paths[f"/api/v1/dataset-versions/{{id}}/{name}/"]["get"]["responses"]
        assert answers["404"]
        assert all(content["examples"] for content in answers["200"]["content"].values()), name
    assert paths["/api/v1/dataset-versions/{id}/recheck/"]["post"]["requestBody"]["content"]["application/json"][
        "examples"
    ]

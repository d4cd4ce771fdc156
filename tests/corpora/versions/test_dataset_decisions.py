"""Decisions about findings, in the browser and over REST."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from adapters.models import Adapter, BaseModel, TrainingRun
from corpora.models import Dataset, DatasetVersion, VersionState
from corpora.versions.caveats import leaks_of
from jobs.models import Job
from tenants.models import Tenant, User
from tests.corpora.conftest import jsonl, pairs
from tests.corpora.ingest.test_leaked_test_rows import near_rows
from tests.corpora.stored import chat, everything, stored_version

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

Checked = Callable[..., DatasetVersion]
REST = "/api/v1/dataset-versions"
MAIL = jsonl(*({"prompt": f"Write to anna{n}@example.com on lease {n}", "completion": "Done"} for n in range(20)))


def decide(client: Client, version: DatasetVersion, *decision: str) -> Any:
    return client.post(f"/datasets/versions/{version.id}/recheck/", {"decision": decision})


def newest(version: DatasetVersion) -> DatasetVersion:
    return DatasetVersion.objects.filter(dataset=version.dataset_id).order_by("-number")[0]


def test_bad_rows_are_left_out_in_a_new_version(
    as_bob: Client, bob: User, checked: Checked, run_jobs: Callable[..., None]
) -> None:
    version = checked(pairs(30) + jsonl({"prompt": "no answer"}, {"prompt": "none either"}))
    page = as_bob.get(f"/datasets/versions/{version.id}/").content.decode()
    assert 'id="decide-bad_rows"' in page
    assert "the 2 rows" in page
    response = decide(as_bob, version, "bad_rows")
    new = newest(version)
    assert response["Location"] == f"/datasets/versions/{new.id}/"
    run_jobs()
    new.refresh_from_db()
    assert (new.state, new.row_count, new.problem_count) == (VersionState.READY, 30, 2)
    assert (new.derived_from, new.created_by, new.options["bad_rows"]) == (version, bob, "leave_out")
    assert "decide-bad_rows" not in as_bob.get(f"/datasets/versions/{new.id}/?tab=quality").content.decode()


@pytest.mark.parametrize(
    "content",
    [b"PK\x03\x04", pairs(3, split="test"), b'prompt,completion\nq,a\nr,b\ns,\n"t,c\n'],
    ids=["no rows", "nothing to train on", "not read to its end"],
)
def test_a_fault_of_the_whole_file_offers_no_way_on(content: bytes, as_bob: Client, checked: Checked) -> None:
    version = checked(content)
    assert version.state == VersionState.REJECTED
    assert "decide-bad_rows" not in as_bob.get(f"/datasets/versions/{version.id}/").content.decode()


def test_personal_data_is_masked_in_a_new_version(
    as_bob: Client, checked: Checked, run_jobs: Callable[..., None]
) -> None:
    version = checked(MAIL)
    page = as_bob.get(f"/datasets/versions/{version.id}/?tab=quality").content.decode()
    assert 'id="decide-personal_data"' in page
    assert "E-mail addresses in 20 rows" in page
    decide(as_bob, version, "personal_data")
    run_jobs()
    masked = newest(version)
    texts = [message.content for stored in everything(masked) for message in stored.row.messages]
    assert len(texts) == 40
    assert not [text for text in texts if "@" in text]
    assert "decide-personal_data" not in as_bob.get(f"/datasets/versions/{masked.id}/?tab=quality").content.decode()
    assert (
        f"/datasets/versions/{masked.id}/" in as_bob.get(f"/datasets/versions/{version.id}/?tab=uses").content.decode()
    )


def test_the_same_decision_again_leads_to_the_version_that_came_of_it(as_bob: Client, checked: Checked) -> None:
    version = checked(MAIL)
    first, second = decide(as_bob, version, "personal_data"), decide(as_bob, version, "personal_data")
    assert first["Location"] == second["Location"]
    assert version.dataset.versions.count() == 2


def test_one_step_makes_one_version_with_all_changes(
    as_bob: Client, api: APIClient, checked: Checked, run_jobs: Callable[..., None]
) -> None:
    rows = [{"prompt": f"{n}: mail anna@example.com", "completion": "Done", "split": "train"} for n in range(20)]
    leak = rows[1] | {"completion": "Sent", "split": "test"}
    version = checked(jsonl(*rows, rows[0], leak, {"prompt": "Why?"}))
    page = as_bob.get(f"/datasets/versions/{version.id}/?tab=quality").content.decode()
    assert page.count('name="decision"') == 3
    decide(as_bob, version, "bad_rows", "personal_data", "leaks")
    run_jobs()
    assert version.dataset.versions.count() == 2
    new = newest(version)
    assert (new.state, new.row_count) == (VersionState.READY, 20)
    chosen = {"bad_rows": "leave_out", "personal_data": "mask", "leaks": "leave_out"}
    assert {name: new.options[name] for name in chosen} == chosen
    page = as_bob.get(f"/datasets/versions/{new.id}/?tab=quality").content.decode()
    assert 'name="decision"' not in page
    again = api.post(f"{REST}/{version.id}/recheck/", {"options": chosen})
    assert (again.status_code, again.json()["version"]) == (409, str(new.id))


def test_test_rows_much_like_training_rows_are_left_out_in_the_same_step(
    as_bob: Client, api: APIClient, checked: Checked, run_jobs: Callable[..., None]
) -> None:
    version = checked(jsonl(*near_rows(training=20, test=6, alike=4)))
    page = as_bob.get(f"/datasets/versions/{version.id}/?tab=quality").content.decode()
    assert "Leave out 4 test rows much like training rows" in page
    assert "These are all test rows" not in page
    decide(as_bob, version, "near_leaks")
    run_jobs()
    new = newest(version)
    assert (new.state, new.train_count, new.test_count) == (VersionState.READY, 20, 2)
    assert leaks_of(version)
    assert leaks_of(new) == []
    page = as_bob.get(f"/datasets/versions/{new.id}/?tab=quality").content.decode()
    assert ('name="decision"' in page, "content=left_out" in page) == (False, True)
    left_out: Any = as_bob.get(f"/datasets/versions/{new.id}/export/?content=left_out")
    assert len(b"".join(left_out.streaming_content).splitlines()) == 4
    again = api.post(f"{REST}/{version.id}/recheck/", {"options": {"near_leaks": "leave_out"}})
    assert (again.status_code, again.json()["version"]) == (409, str(new.id))


def test_an_upload_in_one_request_leaves_them_out_too(
    api: APIClient, in_tenant: Tenant, run_jobs: Callable[..., None]
) -> None:
    file = SimpleUploadedFile("rows.jsonl", jsonl(*near_rows(training=20, test=6, alike=4)))
    options = json.dumps({"near_leaks": "leave_out"})
    body = {"name": "Leases", "file": file, "options": options}
    assert api.post("/api/v1/datasets/", body, format="multipart").status_code == 201
    run_jobs()
    version = DatasetVersion.objects.get()
    assert (version.train_count, version.test_count) == (20, 2)


def test_before_every_test_row_is_left_out_the_page_says_that_none_would_be_left(
    as_bob: Client, checked: Checked, run_jobs: Callable[..., None]
) -> None:
    version = checked(jsonl(*near_rows(training=20, test=4, alike=4)))
    page = as_bob.get(f"/datasets/versions/{version.id}/?tab=quality").content.decode()
    assert "These are all test rows: none would be left" in page
    decide(as_bob, version, "near_leaks")
    run_jobs()
    new = newest(version)
    assert (new.state, new.train_count, new.test_count) == (VersionState.READY, 20, 0)
    page = as_bob.get(f"/datasets/versions/{new.id}/?tab=quality").content.decode()
    assert "All 4 test rows were much like training rows and left out, so no test rows are left" in page


def test_nothing_chosen_makes_no_version(as_bob: Client, checked: Checked) -> None:
    version = checked(MAIL)
    response = decide(as_bob, version)
    assert response["Location"] == f"/datasets/versions/{version.id}/?tab=quality"
    assert version.dataset.versions.count() == 1


def test_keeping_personal_data_notes_who_and_when_once(
    as_alice: Client, as_bob: Client, bob: User, checked: Checked
) -> None:
    version = checked(MAIL)
    url = f"/datasets/versions/{version.id}/keep-personal-data/"
    assert as_bob.get(url).status_code == 405
    page = as_bob.post(url, follow=True).content.decode()
    assert "Kept by Bob on" in page
    assert f'action="{url}"' not in page
    version.refresh_from_db()
    when = version.personal_data_kept_at
    as_alice.post(url)
    version.refresh_from_db()
    assert (version.personal_data_kept_by, version.personal_data_kept_at) == (bob, when)


@pytest.mark.parametrize("decision", ["", "nonsense", "seed", "context"])
def test_nothing_else_is_decided(decision: str, as_bob: Client, in_tenant: Tenant) -> None:
    version = stored_version(Dataset.objects.create(name="Clauses"), [chat("a")])
    assert decide(as_bob, version, decision).status_code == 404
    assert DatasetVersion.objects.count() == 1


def test_columns_in_another_order_or_case_are_the_same_options(api: APIClient, checked: Checked) -> None:
    version = checked(b"Question;Answer\n" + b"".join(b"q%d;a\n" % number for number in range(9)))
    spellings = [{"prompt": "Question", "completion": "Answer"}, {"completion": "answer", "prompt": " QUESTION "}]
    answers = [
        api.post(f"{REST}/{version.id}/recheck/", {"options": {"file_format": "csv", "columns": columns}})
        for columns in spellings
    ]
    assert [answer.status_code for answer in answers] == [201, 409]
    assert answers[1].json()["code"] == "dataset:same_file"


def test_over_rest_any_option_is_changed(api: APIClient, checked: Checked, run_jobs: Callable[..., None]) -> None:
    version = checked(pairs(40))
    body = {"options": {"seed": 7, "test_share": 0.5}}
    response = api.post(f"{REST}/{version.id}/recheck/", body)
    assert response.status_code == 201, response.content
    new = response.json()
    assert (new["number"], new["derived_from"], new["options"]["seed"]) == (2, str(version.id), 7)
    run_jobs()
    ready = api.get(f"{REST}/{new['id']}/").json()
    assert ready["state"] == "ready"
    assert 10 < ready["test_count"] < 30
    again = api.post(f"{REST}/{version.id}/recheck/", body)
    assert (again.status_code, again.json()["code"], again.json()["version"]) == (409, "dataset:same_file", new["id"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"options": {"seed": "x"}}, "options.seed"),
        ({"options": {"sede": 1}}, "options.sede"),
        ({"options": {"bad_rows": "keep"}}, "options.bad_rows"),
        ({"options": {"test_share": 2}}, "options.test_share"),
        ({"options": {"columns": {"answer": "A"}}}, "options.columns"),
        ({"options": {"context": "gpt-9"}}, "options.context"),
        ({"options": "x"}, "options"),
        ({}, "options"),
    ],
)
def test_a_wrong_option_is_named(body: Any, field: str, api: APIClient, in_tenant: Tenant) -> None:
    version = stored_version(Dataset.objects.create(name="Clauses"), [chat("a")])
    response = api.post(f"{REST}/{version.id}/recheck/", body)
    assert response.status_code == 400
    problem = response.json()
    assert field in (problem.get("field"), *(error["field"] for error in problem.get("errors", [])))
    assert DatasetVersion.objects.count() == 1


def test_a_key_keeps_personal_data_too(api: APIClient, in_tenant: Tenant) -> None:
    version = stored_version(Dataset.objects.create(name="Clauses"), [chat("a")])
    response = api.post(f"{REST}/{version.id}/keep-personal-data/")
    assert response.status_code == 200
    assert response.json()["personal_data_kept_at"]


@pytest.mark.parametrize("way", ["page", "rest"])
def test_a_version_is_deleted_with_its_files(
    way: str, as_bob: Client, api: APIClient, in_tenant: Tenant, django_capture_on_commit_callbacks: Any
) -> None:
    version = stored_version(Dataset.objects.create(name="Clauses"), [chat("a")])
    with django_capture_on_commit_callbacks(execute=True):
        if way == "page":
            assert as_bob.post(f"/datasets/versions/{version.id}/delete/").status_code == 302
        else:
            assert api.delete(f"{REST}/{version.id}/").status_code == 204
    for key in (version.train_key, version.index_key, version.findings_key, version.upload_key):
        assert not default_storage.exists(key)
    assert not DatasetVersion.objects.exists()


def test_a_version_that_was_trained_on_or_is_being_checked_stays(
    as_bob: Client, api: APIClient, in_tenant: Tenant
) -> None:
    dataset = Dataset.objects.create(name="Clauses")
    used, checking = stored_version(dataset, [chat("a")]), stored_version(dataset, [], state=VersionState.CHECKING)
    adapter = Adapter.objects.create(
        name="x", base_model=BaseModel.objects.create(name="base", title="Base", location="base")
    )
    TrainingRun.objects.create(
        adapter=adapter, dataset_version=used, job=Job.objects.create(kind="training"), recipe="style"
    )
    for version, code in ((used, "dataset:version_in_use"), (checking, "dataset:still_checking")):
        assert code in as_bob.post(f"/datasets/versions/{version.id}/delete/").content.decode()
        response = api.delete(f"{REST}/{version.id}/")
        assert (response.status_code, response.json()["code"]) == (409, code)
    assert default_storage.exists(used.train_key)
    assert "#delete-version" not in as_bob.get(f"/datasets/versions/{used.id}/").content.decode()


def test_strangers_and_reviewers_decide_nothing(
    as_charlie: Client, as_rita: Client, other_api: APIClient, in_tenant: Tenant
) -> None:
    version = stored_version(Dataset.objects.create(name="Clauses"), [chat("a")])
    for action in ("recheck", "keep-personal-data", "delete"):
        body = {"decision": "personal_data"}
        assert as_charlie.post(f"/datasets/versions/{version.id}/{action}/", body).status_code == 404
        assert as_rita.post(f"/datasets/versions/{version.id}/{action}/", body).status_code == 403
    assert other_api.post(f"{REST}/{version.id}/recheck/", {"options": {}}).status_code == 404
    assert other_api.post(f"{REST}/{version.id}/keep-personal-data/").status_code == 404
    assert other_api.delete(f"{REST}/{version.id}/").status_code == 404
    version.refresh_from_db()
    assert version.personal_data_kept_at is None
    assert DatasetVersion.objects.count() == 1

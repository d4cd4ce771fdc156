"""An uploaded file becomes a ready version, or a rejected one that says what to fix."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.files.storage import default_storage

from corpora.datasets.services import change_dataset, delete_dataset
from corpora.errors import DatasetGone
from corpora.ingest.assembly.index import RECORD
from corpora.models import Dataset, DatasetVersion, VersionState
from corpora.versions.errors import SameFile, StillChecking, VersionGone
from corpora.versions.services import delete_version, recheck_version
from jobs.services import stop_job
from jobs.states import State
from storage.objects import open_object
from tests.corpora.conftest import jsonl, pairs

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

Send = Callable[..., DatasetVersion]


def test_a_good_file_becomes_a_ready_version(checked: Send) -> None:
    version = checked(pairs(40))
    assert version.state == VersionState.READY, version.error_text
    assert (version.number, version.row_count, version.file_format) == (1, 40, "jsonl")
    assert version.train_count + version.test_count == 40
    assert version.test_count >= 1
    with open_object(version.test_key) as file:
        rows = [json.loads(line) for line in file]
    assert len(rows) == version.test_count
    with open_object(version.index_key) as file:
        index = np.frombuffer(file.read(), dtype=RECORD)
    assert [record["id"].tobytes().hex() for record in index[version.train_count :]] == [row["id"] for row in rows]
    assert version.profile["layout"] == "prompt and completion"
    assert version.job.state == State.SUCCEEDED


def test_a_parquet_file_is_read_within_the_childs_memory_limit(checked: Send) -> None:
    buffer = io.BytesIO()
    table = pa.table({"instruction": [f"do {i}" for i in range(20)], "output": ["done"] * 20, "label": [1] * 20})
    pq.write_table(table, buffer)
    version = checked(buffer.getvalue())
    assert version.state == VersionState.READY, version.error_text
    assert (version.file_format, version.row_count) == ("parquet", 20)
    assert version.profile["labels"][0]["name"] == "1"


def test_a_file_with_a_broken_row_is_rejected_and_says_where(checked: Send) -> None:
    version = checked(pairs(3) + jsonl({"prompt": "no answer"}) + pairs(2))
    assert version.state == VersionState.REJECTED
    assert version.error_code == "dataset:missing_field"
    assert version.error_text.startswith("Line 4, completion: ")
    assert version.problem_count == 1
    assert version.problems[0]["line"] == 4
    assert (version.train_key, version.test_key, version.index_key) == ("", "", "")
    with open_object(version.findings_key) as file:
        assert json.loads(file.readline())["line"] == 4


def test_the_rows_that_cannot_be_used_may_be_left_out_in_a_new_version(
    checked: Send, run_jobs: Callable[..., None]
) -> None:
    refused = checked(pairs(3) + jsonl({"prompt": "no answer"}) + pairs(6))
    version = recheck_version(version=refused, changes={"bad_rows": "leave_out"}, created_by=None)
    run_jobs()
    version.refresh_from_db()
    assert (version.number, version.derived_from_id, version.state) == (2, refused.id, VersionState.READY)
    assert (version.row_count, version.upload_key) == (6, refused.upload_key)
    assert "dataset:left_out" in {warning["code"] for warning in version.profile["warnings"]}


def test_the_same_file_with_the_same_options_is_no_second_version(checked: Send) -> None:
    version = checked(pairs(5))
    with pytest.raises(SameFile):
        recheck_version(version=version, changes={"seed": 0}, created_by=None)
    assert recheck_version(version=version, changes={"seed": 1}, created_by=None).number == 2


def test_a_deleted_version_leaves_nothing_in_storage_but_what_others_use(
    checked: Send, run_jobs: Callable[..., None], django_capture_on_commit_callbacks: Any
) -> None:
    first = checked(pairs(5))
    second = recheck_version(version=first, changes={"seed": 1}, created_by=None)
    with pytest.raises(StillChecking):
        delete_version(version=second)
    run_jobs()
    with django_capture_on_commit_callbacks(execute=True):
        delete_version(version=first)
    assert not default_storage.exists(first.train_key)
    assert default_storage.exists(first.upload_key)
    second.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        delete_version(version=second)
    assert not default_storage.exists(first.upload_key)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'prompt,completion\n,c\nd,e\nf,"g\nh,i\n', "dataset:broken_line"),
        (b'{"prompt": "a"}\n{"prompt": "b"}\n', "dataset:no_usable_rows"),
    ],
)
def test_what_sinks_a_file_is_said_before_its_bad_rows(
    checked: Send, run_jobs: Callable[..., None], content: bytes, code: str
) -> None:
    refused = checked(content)
    version = recheck_version(version=refused, changes={"bad_rows": "leave_out"}, created_by=None)
    run_jobs()
    version.refresh_from_db()
    assert (version.state, version.error_code) == (VersionState.REJECTED, code)
    (stopping,) = (problem for problem in version.problems if problem["stops"])
    assert version.error_text.endswith(stopping["text"])


def test_a_version_that_is_deleted_meanwhile_is_not_checked_again(checked: Send) -> None:
    version = checked(pairs(5))
    delete_version(version=DatasetVersion.objects.get(id=version.id))
    with pytest.raises(VersionGone):
        recheck_version(version=version, changes={"seed": 1}, created_by=None)


def test_a_rejected_file_may_be_sent_again_as_the_next_version(checked: Send) -> None:
    first = checked(b"{broken\n")
    second = checked(b"{broken\n", dataset=first.dataset)
    assert (first.state, second.state, second.number) == (VersionState.REJECTED, VersionState.REJECTED, 2)


def test_a_stopped_check_leaves_a_rejected_version(upload: Send, run_jobs: Callable[..., None]) -> None:
    version = upload(pairs(5))
    assert version.job_id
    stop_job(job_id=version.job_id)
    run_jobs()
    version.refresh_from_db()
    assert (version.state, version.error_code) == (VersionState.REJECTED, "dataset:check_stopped")


def test_a_stored_file_that_changed_is_never_taken_for_the_upload(upload: Send, run_jobs: Callable[..., None]) -> None:
    version = upload(pairs(5))
    with Path(default_storage.path(version.upload_key)).open("ab") as file:
        file.write(pairs(1))
    run_jobs()
    version.refresh_from_db()
    assert (version.state, version.error_code) == (VersionState.REJECTED, "platform:object_damaged")


def test_a_dataset_that_is_deleted_meanwhile_is_not_written_to(upload: Send, checked: Send) -> None:
    version = checked(pairs(5))
    dataset = version.dataset
    Dataset.objects.filter(id=dataset.id).delete()
    with pytest.raises(DatasetGone):
        recheck_version(version=version, changes={"seed": 1}, created_by=None)
    with pytest.raises(DatasetGone):
        upload(pairs(6), dataset=dataset)
    with pytest.raises(VersionGone):
        delete_version(version=version)
    with pytest.raises(DatasetGone):
        change_dataset(dataset=dataset, name="Leases")
    delete_dataset(dataset=dataset)

"""An uploaded file becomes a ready version, or a rejected one that says what to mend."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.files.storage import default_storage

from corpora.models import DatasetVersion, VersionState
from jobs.services import stop_job
from jobs.states import State
from tenants.objects import open_object
from tests.corpora.conftest import jsonl, pairs

pytestmark = pytest.mark.django_db

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
    assert {row["split"] for row in rows} == {"test"}
    assert version.profile["layout"] == "prompt and completion"
    assert version.preview[0]["messages"][0] == {"role": "user", "content": "question 0"}
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
    assert version.rows_key == ""


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

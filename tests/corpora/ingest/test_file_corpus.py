"""300 bad files give 300 typed rejections and 200 good ones none: checked, sent over REST, and by the real job."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from corpora.models import DatasetVersion, VersionState
from corpora.versions.kinds import DatasetCheck
from corpora.versions.services import upload_version
from jobs.backends.base import ComputeSpec
from jobs.models import Job
from jobs.states import State
from tenants.models import Tenant
from tests.corpora.corpus.cases import BadFile, GoodFile
from tests.corpora.corpus.files import BAD_CLASSES, all_bad_files, bad_file
from tests.corpora.corpus.good_files import KINDS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]


def test_each_file_is_judged_rightly_and_nothing_is_written_outside_its_folder(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.corpora.corpus", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert ran.stdout.splitlines() == ["300 bad, 200 good"], ran.stdout + ran.stderr


@pytest.mark.django_db
def test_every_bad_file_can_be_sent_without_a_server_error(api: APIClient) -> None:
    answers = {}
    for name, file in all_bad_files():
        body = {"file": SimpleUploadedFile("rows.jsonl", file.content), "name": name}
        answers[name] = api.post("/api/v1/datasets/", body, format="multipart").status_code
    assert {name: status for name, status in answers.items() if status != 201} == {}
    assert len(answers) == 300


@pytest.mark.django_db
def test_one_of_each_class_and_kind_is_judged_by_its_job(
    in_tenant: Tenant, run_jobs: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a customer's file is: stored, checked by a child in a folder of its own, and written down."""
    bad = {f"bad: {name}": bad_file(name, 0) for name in BAD_CLASSES}
    good = {f"good: {name}": make(Random(name), 0) for name, make in KINDS.items()}
    limits: dict[str, dict[str, Any]] = {}
    files: dict[str, BadFile | GoodFile] = {**bad, **good}
    for name, file in files.items():
        version = upload_version(
            tenant=in_tenant,
            file=io.BytesIO(file.content),
            file_name="rows",
            dataset_name=name,
            options=file.options,
            created_by=None,
        )
        limits[str(version.id)] = file.limits
    prepare = DatasetCheck.prepare

    def prepare_with_limits(kind: DatasetCheck, job: Job) -> ComputeSpec:
        # No customer can lower them as some files of the corpus do, so as to be small.
        made = prepare(kind, job)
        return replace(made, spec=made.spec | limits[job.spec["version"]])

    monkeypatch.setattr(DatasetCheck, "prepare", prepare_with_limits)
    run_jobs(240)
    assert set(Job.objects.values_list("state", flat=True)) == {State.SUCCEEDED}
    found = {version.dataset.name: version for version in DatasetVersion.objects.select_related("dataset")}
    assert len(found) == 50
    for name, bad_one in bad.items():
        version = found[name]
        assert (version.state, version.error_code, version.train_key) == (VersionState.REJECTED, bad_one.code, ""), name
    for name, good_one in good.items():
        assert (found[name].state, found[name].row_count) == (VersionState.READY, len(good_one.rows)), name

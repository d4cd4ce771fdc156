"""300 bad files give 300 typed rejections and 200 good ones none: checked, sent over REST, and by the real job."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from corpora.models import DatasetVersion, VersionState
from corpora.options import read_options
from corpora.services.versions import upload_version
from jobs.models import Job
from jobs.states import State
from tenants.models import Tenant
from tests.corpora.corpus.files import BAD_CLASSES, all_bad_files, bad_file

ROOT = Path(__file__).resolve().parents[2]


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
def test_one_of_each_class_is_rejected_by_its_job(in_tenant: Tenant, run_jobs: Callable[..., None]) -> None:
    # No customer can lower the limits as some files of the corpus do, so as to be small.
    files = {name: file for name in BAD_CLASSES if not (file := bad_file(name, 0)).limits}
    assert len(files) == len(BAD_CLASSES) - 2
    for name, file in files.items():
        upload_version(
            tenant=in_tenant,
            file=io.BytesIO(file.content),
            file_name="rows",
            dataset_name=name,
            options=read_options(file.options),
            created_by=None,
        )
    run_jobs()
    versions = {version.dataset.name: version for version in DatasetVersion.objects.select_related("dataset")}
    assert set(Job.objects.values_list("state", flat=True)) == {State.SUCCEEDED}
    for name, file in files.items():
        version = versions[name]
        assert (version.state, version.error_code, version.train_key) == (VersionState.REJECTED, file.code, ""), name

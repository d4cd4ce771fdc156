"""Evaluations from before they said what they are about."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.evaluations.runs.test_answers_in_rows import drop_keys, insert
from tests.plugins.services import copied_database, migrate

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


def test_an_older_one_is_about_its_version_and_one_without_a_version_does_not_go_back() -> None:
    tenant, version, older, newer = uuid4(), uuid4(), uuid4(), uuid4()
    common: dict[str, Any] = {"tenant_id": tenant, "created_at": "now", "state": "ready", "summary": {}}
    with copied_database("test_what_runs_are_about") as url:
        migrate(url, "evaluations", "0024_judges_grade_seen")
        with psycopg.connect(url) as connection:
            connection.execute("SELECT set_config('portal.system', 'on', false)")
            for table in ("adapters_adapterversion", "evaluations_evaluationrun"):
                drop_keys(connection, table)
            insert(
                connection, "tenants_tenant", id=tenant, name="Alder Law", slug="alder-law", created_at="now",
                max_running_jobs=2, max_storage_bytes=1,
            )  # fmt: skip
            insert(
                connection, "adapters_adapterversion", id=version, tenant_id=tenant, created_at="now", number=3,
                adapter_id=uuid4(), run_id=uuid4(), package_key="", package_sha256="", package_bytes=1, rank=4,
                manifest={}, metrics={},
            )  # fmt: skip
            insert(
                connection, "evaluations_evaluationrun", id=older, version_id=version, dataset_version_id=uuid4(),
                job_id=uuid4(), **common,
            )  # fmt: skip
        migrate(url)
        with psycopg.connect(url) as connection:
            connection.execute("SELECT set_config('portal.system', 'on', false)")
            assert connection.execute("SELECT id, about FROM evaluations_evaluationrun").fetchall() == [(older, "v3")]
            insert(
                connection, "evaluations_evaluationrun", id=newer, about="base", dataset_version_id=uuid4(),
                job_id=uuid4(), **common,
            )  # fmt: skip
            insert(
                connection, "evaluations_evaluatedmodel", id=uuid4(), tenant_id=tenant, created_at="now", run_id=newer,
                position=0, key="base", name="Base", kind="base", sha256="",
            )  # fmt: skip
        migrate(url, "evaluations", "0024_judges_grade_seen")
        with psycopg.connect(url) as connection:
            connection.execute("SELECT set_config('portal.system', 'on', false)")
            runs = connection.execute("SELECT id, version_id FROM evaluations_evaluationrun").fetchall()
            assert runs == [(older, version)]
            assert connection.execute("SELECT count(*) FROM evaluations_evaluatedmodel").fetchone() == (0,)
        migrate(url)

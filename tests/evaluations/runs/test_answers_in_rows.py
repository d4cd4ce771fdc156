"""Evaluations from before answers were rows of their own keep what they said."""

import json
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.plugins.services import copied_database, migrate

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

FIGURES = {"exact_match": 0.0, "rouge_l": 0.1, "judge": 1.5}
PART = {
    "rows": 30,
    "base": FIGURES,
    "adapter": {**FIGURES, "exact_match": 0.9, "judge": 4.5},
    "difference": {"exact_match": {"mean": 0.9, "low": 0.8, "high": 1.0, "p_value": 1e-9}},
}
SCORES = {"base": {"exact_match": 0.0}, "adapter": {"exact_match": 1.0}}
JUDGEMENT = {"base": {"score": 1.0, "reason": "Wrong."}, "adapter": {"score": 5.0, "reason": "Right."}}


def insert(connection: psycopg.Connection[Any], table: str, **values: Any) -> None:
    columns, places = ", ".join(values), ", ".join(["%s"] * len(values))
    row = [json.dumps(value) if isinstance(value, (dict, list)) else value for value in values.values()]
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", row)


def drop_keys(connection: psycopg.Connection[Any], table: str) -> None:
    """So that no job, training run and dataset need stand behind the table's rows."""
    keys = connection.execute(
        "SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass", [table]
    ).fetchall()
    for (key,) in keys:
        connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{key}"')


def test_an_older_evaluation_keeps_its_answers_scores_and_grades() -> None:
    run, tenant, version = uuid4(), uuid4(), uuid4()
    with copied_database("test_answers_in_rows") as url:
        migrate(url, "evaluations", "0006_rubrics")
        with psycopg.connect(url) as connection:
            connection.execute("SELECT set_config('portal.system', 'on', false)")
            for table in ("adapters_adapterversion", "evaluations_evaluationrun"):
                drop_keys(connection, table)
            insert(
                connection,
                "tenants_tenant",
                id=tenant,
                name="Alder Law",
                slug="alder-law",
                created_at="now",
                max_running_jobs=2,
                max_storage_bytes=1,
            )
            insert(
                connection, "adapters_adapterversion", id=version, tenant_id=tenant, created_at="now", number=3,
                adapter_id=uuid4(), run_id=uuid4(), package_key="", package_sha256="", package_bytes=1, rank=4,
                manifest={}, metrics={},
            )  # fmt: skip
            insert(
                connection, "evaluations_evaluationrun", id=run, tenant_id=tenant, created_at="now",
                version_id=version, dataset_version_id=uuid4(), job_id=uuid4(), state="ready", judge="default",
                summary={"all": PART},
            )  # fmt: skip
            insert(
                connection, "evaluations_evaluationitem", id=uuid4(), tenant_id=tenant, created_at="now", run_id=run,
                position=1, slice="all", messages=[{"role": "user", "content": "Hello?"}], reference="Yes.",
                answer_base="No.", answer_adapter="Yes.", scores=SCORES, judgement=JUDGEMENT, uncertainty=0.0,
            )  # fmt: skip
        migrate(url)
        with psycopg.connect(url) as connection:
            connection.execute("SELECT set_config('portal.system', 'on', false)")
            answers = connection.execute(
                "SELECT model.key, answer.text, answer.is_right, answer.scores, grade.score, grade.reason"
                " FROM evaluations_answer answer JOIN evaluations_evaluatedmodel model ON model.id = answer.model_id"
                " JOIN evaluations_grade grade ON grade.answer_id = answer.id ORDER BY model.position"
            ).fetchall()
            (summary,) = connection.execute("SELECT summary FROM evaluations_evaluationrun").fetchone() or ()
            (graded,) = connection.execute("SELECT summary FROM evaluations_judging").fetchone() or ()
    assert answers == [
        ("base", "No.", False, {"exact_match": 0.0}, 1.0, "Wrong."),
        ("v3", "Yes.", True, {"exact_match": 1.0}, 5.0, "Right."),
    ]
    assert summary["all"]["figures"] == {
        "base": {"exact_match": 0.0, "rouge_l": 0.1},
        "v3": {"exact_match": 0.9, "rouge_l": 0.1},
    }
    (difference,) = summary["all"]["differences"]
    assert (difference["model"], difference["against"], difference["verdict"]) == ("v3", "base", "better")
    assert graded["all"]["figures"] == {"base": 1.5, "v3": 4.5}

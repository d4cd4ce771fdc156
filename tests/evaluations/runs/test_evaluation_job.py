"""An evaluation from the queue to scored rows."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.models import AdapterVersion
from evaluations.models import EvaluationItem, EvaluationRun, EvaluationState
from evaluations.runs.held_out import held_out_rows
from evaluations.runs.kinds import MAX_NEW_TOKENS, EvaluationKind, answer_length
from evaluations.runs.services import start_evaluation
from jobs.backends import compute
from jobs.models import Job
from jobs.services import stop_job
from jobs.states import State
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.evaluations.conftest import Respond, good_adapter, reference_of


@pytest.fixture
def evaluate(
    tenant: Tenant, answer_with: Callable[[Respond], None], run_jobs: Callable[..., None]
) -> Callable[..., EvaluationRun]:
    def call(version: AdapterVersion, respond: Respond = good_adapter) -> EvaluationRun:
        answer_with(respond)
        with tenant_scope(tenant.id):
            run = start_evaluation(tenant=tenant, version=version)
            run_jobs()
            return EvaluationRun.objects.select_related("job").get(id=run.id)

    return call


def test_an_evaluation_ends_in_scored_rows(
    in_tenant: Tenant, version: AdapterVersion, evaluate: Callable[..., EvaluationRun]
) -> None:
    run = evaluate(version)
    assert run.state == EvaluationState.READY, run.job.error_text
    assert run.summary["all"]["rows"] == 6
    assert run.summary["all"]["base"]["exact_match"] == 0.0
    assert run.summary["unseen"]["adapter"]["exact_match"] == 1.0
    item = EvaluationItem.objects.filter(run=run)[0]
    assert item.messages == [{"role": "user", "content": "Which shelf holds box 1?"}]
    assert (item.position, item.slice, item.reference) == (1, "seen", "SHELF 1 row 1")
    assert (item.answer_base, item.answer_adapter) == ("I do not know.", "SHELF 1 row 1")
    assert item.scores["adapter"]["exact_match"] == 1.0
    assert item.judgement["base"]["score"] == 1.0
    assert item.uncertainty == pytest.approx(0, abs=0.01)


def test_the_child_gets_the_held_out_rows_and_the_package(
    in_tenant: Tenant, version: AdapterVersion, evaluate: Callable[..., EvaluationRun]
) -> None:
    run = evaluate(version)
    folder: Path = compute["default"].root / run.job.external_name  # type: ignore[attr-defined]
    prompts = [json.loads(line) for line in (folder / "inputs/prompts/rows.jsonl").read_text().splitlines()]
    assert [reference_of(row) for row in prompts] == [f"SHELF {n % 7} row {n}" for n in range(1, 7)]
    assert (folder / "inputs/adapter/adapter.tar.gz").read_bytes() == b"package"
    spec = json.loads((folder / "spec.json").read_text())
    assert spec["targets"] == ["base", "adapter"]
    assert spec["base_model"] == version.adapter.base_model.location


def test_collecting_twice_leaves_the_same_rows(
    in_tenant: Tenant, version: AdapterVersion, evaluate: Callable[..., EvaluationRun], tmp_path: Path
) -> None:
    run = evaluate(version)
    before = list(EvaluationItem.objects.filter(run=run).values())
    job = Job.objects.get(id=run.job_id)
    again = EvaluationKind().collect(job, {}, tmp_path, compute["default"])
    assert again == job.result
    assert [item["id"] for item in EvaluationItem.objects.filter(run=run).values()] == [i["id"] for i in before]


def test_an_answer_that_is_missing_fails_the_evaluation(
    in_tenant: Tenant, version: AdapterVersion, answer_with: Callable[[Respond], None], run_jobs: Callable[..., None]
) -> None:
    answer_with(good_adapter)
    run = start_evaluation(tenant=in_tenant, version=version)
    job = Job.objects.get(id=run.job_id)
    kind = EvaluationKind()
    job.external_name = "evaluation-short"
    backend = compute["default"]
    backend.submit(job.external_name, kind.prepare(job))
    predictions: Path = backend.root / job.external_name / "output" / "predictions.jsonl"  # type: ignore[attr-defined]
    predictions.write_text("".join(predictions.read_text().splitlines(keepends=True)[:-1]))
    Job.objects.filter(id=job.id).update(external_name=job.external_name)
    run_jobs()
    run.refresh_from_db()
    assert run.state == EvaluationState.FAILED
    assert Job.objects.get(id=job.id).error_code == "evaluation:answers_missing"
    assert not EvaluationItem.objects.filter(run=run).exists()


def test_an_answer_may_hold_any_character(
    in_tenant: Tenant, version: AdapterVersion, evaluate: Callable[..., EvaluationRun]
) -> None:
    run = evaluate(version, lambda row, target: "\x00\u2028<script>")
    assert run.state == EvaluationState.READY, run.job.error_text
    assert EvaluationItem.objects.filter(run=run)[0].answer_adapter == "\ufffd\u2028<script>"


def test_a_stopped_evaluation_says_so(in_tenant: Tenant, version: AdapterVersion) -> None:
    run = start_evaluation(tenant=in_tenant, version=version)
    job = stop_job(job_id=run.job_id)
    run.refresh_from_db()
    assert (job.state, run.state) == (State.STOPPED, EvaluationState.STOPPED)


def test_of_many_rows_the_same_sample_is_asked_each_time(
    in_tenant: Tenant, make_version: Callable[..., AdapterVersion]
) -> None:
    dataset_version = make_version(rows=30).run.dataset_version
    sample = held_out_rows(dataset_version, limit=10)
    assert [row.id for row in sample] == [f"{n:032x}" for n in range(1, 11)]
    assert len(held_out_rows(dataset_version)) == 30


def test_an_answer_gets_room_for_the_longest_reference(in_tenant: Tenant, version: AdapterVersion) -> None:
    rows = held_out_rows(version.run.dataset_version)
    assert answer_length(rows) == 16
    changes: dict[str, Any] = {"reference": "é" * 50}
    assert answer_length([type(rows[0])(**{**vars(rows[0]), **changes})]) == 100
    assert answer_length([type(rows[0])(**{**vars(rows[0]), "reference": "x" * 9999})]) == MAX_NEW_TOKENS

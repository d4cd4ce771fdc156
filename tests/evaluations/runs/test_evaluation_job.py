"""An evaluation from the queue to scored rows."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from adapters.models import AdapterVersion
from evaluations.models import Answer, EvaluationItem, EvaluationRun, EvaluationState
from evaluations.runs.kinds import EvaluationKind
from evaluations.runs.queries import answers_of, own_answers
from evaluations.runs.services import start_evaluation
from evaluations.runs.stages.held_out import held_out_rows
from evaluations.runs.stages.rows import MAX_NEW_TOKENS, answer_length, store_rows
from jobs.backends import compute
from jobs.models import Job
from jobs.outcomes import Succeeded
from jobs.services import stop_job
from jobs.states import State
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.evaluations.conftest import Respond, good_adapter, reference_of


@pytest.fixture
def evaluate(
    tenant: Tenant, answer_with: Callable[[Respond], None], run_jobs: Callable[..., None]
) -> Callable[..., EvaluationRun]:
    def call(
        version: AdapterVersion, respond: Respond = good_adapter, versions: Sequence[AdapterVersion] = ()
    ) -> EvaluationRun:
        answer_with(respond)
        with tenant_scope(tenant.id):
            run = start_evaluation(tenant=tenant, version=version, versions=versions)
            run_jobs()
            return EvaluationRun.objects.select_related("job").get(id=run.id)

    return call


def test_an_evaluation_ends_in_scored_rows(
    in_tenant: Tenant, version: AdapterVersion, evaluate: Callable[..., EvaluationRun]
) -> None:
    run = evaluate(version)
    assert run.state == EvaluationState.READY, run.job.error_text
    assert run.summary["all"]["rows"] == 6
    assert run.summary["all"]["figures"]["base"]["exact_match"] == 0.0
    assert run.summary["unseen"]["figures"]["v1"]["exact_match"] == 1.0
    item = EvaluationItem.objects.filter(run=run)[0]
    assert item.messages == [{"role": "user", "content": "Which shelf holds box 1?"}]
    assert (item.position, item.slice, item.reference) == (1, "seen", "SHELF 1 row 1")
    base, own = answers_of(run, [item])[item.id]
    assert (base.answer.text, base.answer.is_right, own.answer.text) == ("I do not know.", False, "SHELF 1 row 1")
    assert own.answer.scores["exact_match"] == 1.0
    assert base.grade is not None
    assert base.grade.score == 1.0
    assert item.uncertainty == pytest.approx(0, abs=0.01)


def test_the_child_gets_the_held_out_rows_and_the_package(
    in_tenant: Tenant, version: AdapterVersion, evaluate: Callable[..., EvaluationRun]
) -> None:
    run = evaluate(version)
    folder: Path = compute["default"].root / run.job.external_name  # type: ignore[attr-defined]
    prompts = [json.loads(line) for line in (folder / "inputs/prompts/rows.jsonl").read_text().splitlines()]
    assert [reference_of(row) for row in prompts] == [f"SHELF {n % 7} row {n}" for n in range(1, 7)]
    assert (folder / "inputs/adapter-1/adapter.tar.gz").read_bytes() == b"package"
    spec = json.loads((folder / "spec.json").read_text())
    assert spec["targets"] == ["base", "adapter-1"]
    assert spec["base_model"] == version.adapter.base_model.location


def test_collecting_twice_leaves_the_same_rows(
    in_tenant: Tenant, version: AdapterVersion, evaluate: Callable[..., EvaluationRun], tmp_path: Path
) -> None:
    run = evaluate(version)
    before = list(Answer.objects.order_by("id").values())
    job = Job.objects.get(id=run.job_id)
    EvaluationKind().collect(job, {}, tmp_path, compute["default"])
    outcome = EvaluationKind().step(job)
    assert isinstance(outcome, Succeeded)
    assert outcome.result == job.result
    assert list(Answer.objects.order_by("id").values()) == before
    assert run.judgings.count() == 1


def test_what_was_answered_before_is_not_asked_again(
    in_tenant: Tenant, make_version: Callable[..., AdapterVersion], evaluate: Callable[..., EvaluationRun]
) -> None:
    first, second = make_version(), make_version(package=b"second")
    second.package_sha256 = "cd" * 32
    second.save()
    second.run.dataset_version = first.run.dataset_version
    second.run.save()
    evaluate(first)
    asked: list[str] = []

    def respond(row: dict[str, Any], model: str) -> str:
        asked.append(model)
        return good_adapter(row, model)

    run = evaluate(second, respond, versions=[first])
    assert run.state == EvaluationState.READY, run.job.error_text
    assert asked == ["v2"] * 6
    assert [model.key for model in run.models.all()] == ["base", "v1", "v2"]
    assert Answer.objects.filter(model__run=run).count() == 18
    asked.clear()
    again = evaluate(second, respond, versions=[first])
    assert (again.state, asked, again.job.external_name) == (EvaluationState.READY, [], "")
    assert again.summary == run.summary


def test_an_answer_that_is_missing_fails_the_evaluation(
    in_tenant: Tenant, version: AdapterVersion, answer_with: Callable[[Respond], None], run_jobs: Callable[..., None]
) -> None:
    answer_with(good_adapter)
    run = start_evaluation(tenant=in_tenant, version=version)
    job = Job.objects.get(id=run.job_id)
    kind = EvaluationKind()
    job.external_name = "evaluation-short"
    backend = compute["default"]
    store_rows(run)
    backend.submit(job.external_name, kind.prepare(job))
    predictions: Path = backend.root / job.external_name / "output" / "predictions.jsonl"  # type: ignore[attr-defined]
    predictions.write_text("".join(predictions.read_text().splitlines(keepends=True)[:-1]))
    Job.objects.filter(id=job.id).update(external_name=job.external_name)
    run_jobs()
    run.refresh_from_db()
    assert run.state == EvaluationState.FAILED
    assert Job.objects.get(id=job.id).error_code == "evaluation:answers_missing"
    assert run.summary == {}


def test_an_answer_may_hold_any_character(
    in_tenant: Tenant, version: AdapterVersion, evaluate: Callable[..., EvaluationRun]
) -> None:
    run = evaluate(version, lambda row, target: "\x00\u2028<script>")
    assert run.state == EvaluationState.READY, run.job.error_text
    assert {answer.text for answer in own_answers(run)} == {"\ufffd\u2028<script>"}


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

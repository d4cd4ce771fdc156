"""The test of a judge as a job: it pays nothing twice, ends in every case, and says how."""

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from evaluations.judges.services import change_judge, delete_judge
from evaluations.judging.services import keep_verdict
from evaluations.models import Judge, JudgeUsage, Qualification, QualificationState, Verdict
from evaluations.qualification import kinds
from evaluations.qualification.cases import cases, everything
from evaluations.qualification.estimate import estimate_of
from evaluations.qualification.figures import Figures
from evaluations.qualification.services import (
    start_qualification,
    start_shared_qualification,
)
from evaluations.qualification.words import bars_of
from jobs.engine.reconciler import jobs_to_step
from jobs.engine.steps import step_job
from jobs.models import Job
from jobs.services import stop_job
from rest.errors import Conflict, NotFound
from tenants.models import AuditEvent, Tenant
from tenants.scope import tenant_scope
from tests.evaluations.judges.scripted_model import Said, ScriptedModel
from tests.evaluations.qualification.behaviours import obedient
from tests.evaluations.qualification.conftest import speaking

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

ALL = len(everything())


@pytest.fixture
def started(tenant: Tenant, judge: Judge) -> Iterator[Qualification]:
    with tenant_scope(tenant.id):
        yield start_qualification(tenant=tenant, judge=judge)


def words_of(found: Qualification) -> dict[str, str]:
    return {bar.question.name: bar.word for bar in bars_of(Figures.from_dict(found.figures))}


def test_a_judge_without_fault_is_good_all_round(
    started: Qualification, model: ScriptedModel, run_jobs: Callable[..., None]
) -> None:
    run_jobs()
    started.refresh_from_db()
    assert started.state == QualificationState.READY
    assert set(words_of(started).values()) == {"good"}
    assert (started.figures["asked"], started.figures["judged"], started.figures["missing"]) == (ALL, ALL, {})
    assert started.examples == []
    assert len(model.calls) == ALL
    assert started.cost["calls"] == ALL
    assert Decimal(started.cost["usd"]) == (started.cost["tokens_in"] + 2 * Decimal(started.cost["tokens_out"])) / 10**6
    counted = JudgeUsage.objects.filter(purpose="testing").values_list("calls", "usd")
    assert [sum(column) for column in zip(*counted, strict=True)] == [ALL, Decimal(started.cost["usd"])]
    job = Job.objects.get(id=started.job_id)
    assert kinds.QualificationKind().outcome(job) == f"{ALL} of {ALL} answers were judged."
    assert AuditEvent.objects.get(action="judge.test_started").after == {"judge": "Strict", "version": 1}


def test_what_fools_a_judge_is_shown_worst_first(
    started: Qualification, model: ScriptedModel, run_jobs: Callable[..., None]
) -> None:
    model.says = speaking(obedient)
    run_jobs()
    started.refresh_from_db()
    assert words_of(started)["lift"] == "bad"
    assert [one["kind"] for one in started.examples] == ["injected", "injected"]
    assert (started.examples[0]["score"], started.examples[0]["band"]) == (5.0, [1, 2])
    assert started.examples[0]["reason"] == "Read injected."


def test_a_killed_worker_pays_no_stored_call_twice(
    started: Qualification, model: ScriptedModel, run_jobs: Callable[..., None]
) -> None:
    """The worker dies in mid-step, before it has said how far it came."""

    class Killed(BaseException):
        pass

    kept = 100

    def keep_and_die(**content: Any) -> None:
        keep_verdict(**content)
        if Verdict.objects.count() == kept:
            raise Killed

    (job_id,) = jobs_to_step()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evaluations.judging.asking.keep_verdict", keep_and_die)
        with pytest.raises(Killed):
            step_job(job_id)
    assert Verdict.objects.count() == kept
    # Its lease and its claims run out.
    cache.clear()
    Job.objects.update(lease_expires_at=timezone.now() - dt.timedelta(hours=1))
    paid = len(model.calls)
    run_jobs()
    started.refresh_from_db()
    assert started.state == QualificationState.READY
    assert len(model.calls) - paid == ALL - kept
    assert started.cost["calls"] == ALL


def test_what_the_judge_declines_is_counted_and_below_95_percent_nothing_is_concluded(
    started: Qualification, model: ScriptedModel, run_jobs: Callable[..., None]
) -> None:
    says = speaking(obedient)
    declined = {(case.prompt.system, case.prompt.user) for case in cases() if case.kind in ("wrong", "injected")}
    model.says = lambda system, user: Said(fault="refused") if (system, user) in declined else says(system, user)
    run_jobs()
    started.refresh_from_db()
    assert started.state == QualificationState.INCOMPLETE
    assert started.figures["missing"] == {"refused": len(declined)}
    assert set(words_of(started).values()) == {"can’t tell"}


def test_a_judge_that_never_replies_fails_with_the_reason(
    started: Qualification, model: ScriptedModel, run_jobs: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds, "MOST_IDLE", 1)
    model.in_turn(Said(fault="unauthorised"))
    run_jobs()
    started.refresh_from_db()
    job = Job.objects.get(id=started.job_id)
    assert (started.state, job.state, job.error_code) == ("failed", "failed", "qualification:no_verdicts")
    assert "refused the secret" in job.error_text
    assert len(model.calls) < 10


def test_replies_that_cannot_be_read_fail(
    started: Qualification, model: ScriptedModel, run_jobs: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds, "everything", lambda: everything()[:3])
    monkeypatch.setattr("evaluations.qualification.plan.everything", lambda: everything()[:3])
    monkeypatch.setattr("evaluations.judges.calling.FIRST_WAIT", 0.0)
    monkeypatch.setattr("evaluations.judging.steps.PASS_WAIT", 0.0)
    model.in_turn(Said(text="No JSON"))
    run_jobs()
    started.refresh_from_db()
    assert started.state == QualificationState.FAILED
    assert "no verdict that can be read" in Job.objects.get(id=started.job_id).error_text


def test_a_judge_changed_meanwhile_fails(started: Qualification, judge: Judge, run_jobs: Callable[..., None]) -> None:
    change_judge(judge=judge, model="other")
    run_jobs()
    started.refresh_from_db()
    assert started.state == QualificationState.FAILED
    assert Job.objects.get(id=started.job_id).error_code == "qualification:judge_changed"


def test_a_judge_deleted_meanwhile_takes_its_tests_along(
    started: Qualification, judge: Judge, run_jobs: Callable[..., None]
) -> None:
    delete_judge(judge=judge)
    assert not Qualification.objects.exists()
    run_jobs()
    assert Job.objects.get(id=started.job_id).error_code == "qualification:judge_deleted"


def test_a_test_can_be_stopped(started: Qualification) -> None:
    stop_job(job_id=started.job_id)
    started.refresh_from_db()
    assert started.state == QualificationState.STOPPED


def test_never_two_at_once(started: Qualification, tenant: Tenant, judge: Judge) -> None:
    with pytest.raises(Conflict):
        start_qualification(tenant=tenant, judge=judge)
    assert Qualification.objects.count() == Job.objects.count() == 1
    start_shared_qualification(tenant=tenant, alias="default")
    with pytest.raises(Conflict):
        start_shared_qualification(tenant=tenant, alias="default")


def test_a_second_test_asks_anew(
    started: Qualification, tenant: Tenant, judge: Judge, model: ScriptedModel, run_jobs: Callable[..., None]
) -> None:
    run_jobs()
    start_qualification(tenant=tenant, judge=judge)
    run_jobs()
    assert len(model.calls) == 2 * ALL


def test_the_grader_without_a_model_is_tested_too(in_tenant: Tenant, run_jobs: Callable[..., None]) -> None:
    found = start_shared_qualification(tenant=in_tenant, alias="default")
    run_jobs()
    found.refresh_from_db()
    assert found.state == QualificationState.READY
    words = words_of(found)
    # It compares words: it obeys nobody and has no favourite place, but takes other words for other facts.
    assert (words["lift"], words["flips"], words["accuracy"]) == ("good", "good", "bad")
    assert (found.cost["calls"], float(found.cost["usd"])) == (0, 0.0)
    with pytest.raises(NotFound):
        start_shared_qualification(tenant=in_tenant, alias="unknown")


def test_the_estimate_is_close_to_what_is_paid(
    judge: Judge, started: Qualification, run_jobs: Callable[..., None]
) -> None:
    run_jobs()
    started.refresh_from_db()
    estimate = estimate_of(judge).usd
    assert estimate is not None
    assert Decimal("0.5") < Decimal(started.cost["usd"]) / estimate < Decimal(2)

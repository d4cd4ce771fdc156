"""Judges compare what both versions answered: in a canary, and in a shadow that nobody sees."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from adapters.models import AdapterVersion
from evaluations.judges.prompts import PairPrompt, Prompt
from evaluations.runs.judgings.services import JudgingWanted
from jobs.services import stop_job
from jobs.states import State
from rest.errors import PortalError
from serving.models import Route, Trial, TrialState
from serving.promotions.services import promote_version, try_version
from serving.trials.figures import figures_of
from serving.trials.quality import judge_copies
from serving.trials.report import report_of
from serving.trials.services import TrialPlan, keep_copy, wants_copy
from serving.trials.tasks import forget_trial_copies
from tests.evaluations.judging.case import Scripted, scripted_juror
from tests.serving.trials.conftest import let_time_pass, step, until_tried

pytestmark = pytest.mark.django_db
Versions = tuple[AdapterVersion, AdapterVersion]
CANARY = TrialPlan(percent=10, minutes=600, copies=100)
SHADOW = TrialPlan(percent=0, minutes=600, copies=30)


def better(prompt: Prompt) -> str:
    """The answer that says so is good."""
    assert isinstance(prompt, PairPrompt)
    good = [("good" in text) for text in (prompt.first, prompt.second)]
    return "tie" if good[0] == good[1] else "first" if good[0] else "second"


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    juror, judge = scripted_juror(better)
    monkeypatch.setattr("serving.trials.quality.jury_of", lambda recorded: [juror])
    return judge


@pytest.fixture
def wanted(judge: Scripted) -> JudgingWanted:
    return JudgingWanted(jury=[scripted_juror(better)[0]])


def copied(trial: Trial, live: str, candidate: str, *, start: int = 0, count: int = 1, error_code: str = "") -> None:
    for number in range(start, start + count):
        assert keep_copy(
            trial_id=trial.id, caller=f"{number:032x}", messages=[{"role": "user", "content": f"Box {number}?"}],
            live_text=f"{live} {number}", candidate_text=f"{candidate} {number}", error_code=error_code,
        )  # fmt: skip


def test_worse_answers_halt_a_canary(versions: Versions, judge: Scripted, wanted: JudgingWanted) -> None:
    first, second = versions
    promotion = promote_version(tenant=first.tenant, version=second, created_by=None, canary=CANARY, judging=wanted)
    trial = until_tried()
    copied(trial, "good", "bad", count=4)
    step()
    promotion.job.refresh_from_db()
    assert promotion.job.state == State.RUNNING
    assert (len(judge.asked), {prompt.reference for prompt in judge.asked}) == (8, {""})
    copied(trial, "good", "bad", start=4, count=3)
    step()
    trial.refresh_from_db()
    promotion.job.refresh_from_db()
    assert (trial.state, promotion.job.error_code) == (TrialState.HALTED, "trial:halted")
    assert "v2 got worse answers (7 of 7 compared answers are worse, 0 better)" in promotion.job.error_text
    # What has a verdict is not asked again.
    assert len(judge.asked) == 14
    assert Route.objects.get(alias="legal").active.version == first


def test_a_shadow_ends_when_it_is_full_and_says_what_was_found(
    versions: Versions, judge: Scripted, wanted: JudgingWanted
) -> None:
    first, second = versions
    job = try_version(tenant=first.tenant, version=second, plan=SHADOW, judging=wanted, created_by=None)
    trial = until_tried()
    assert (trial.kind, trial.share) == ("Shadow", 0.0)
    copied(trial, "bad", "good", count=15)
    copied(trial, "good", "good", start=15, count=13)
    copied(trial, "good", "", start=28, count=1, error_code="endpoint_error")
    step()
    job.refresh_from_db()
    assert (job.state, job.phase) == (State.RUNNING, "answering unseen")
    copied(trial, "good", "bad", start=29)
    assert not wants_copy(trial.id, "f" * 32)
    step()
    job.refresh_from_db()
    trial.refresh_from_db()
    assert (job.state, trial.state) == (State.SUCCEEDED, TrialState.PASSED)
    quality = figures_of(trial).quality
    assert quality is not None
    assert (quality.pairs, quality.judged, quality.wins, quality.ties, quality.losses) == (29, 29, 15, 13, 1)
    assert quality.low is not None
    assert 0.5 < quality.low < 0.75
    assert "those of v2 are better 15 times, worse 1 times, and neither 13 times" in report_of(trial).compared
    assert Route.objects.get(alias="legal").active.version == first


def test_a_shadow_needs_no_decision_and_no_judge(
    versions: Versions, make_version: Callable[..., AdapterVersion]
) -> None:
    unready = make_version(versions[0].tenant, "legal", 3, answers=None)
    job = try_version(tenant=unready.tenant, version=unready, plan=SHADOW, created_by=None)
    trial = until_tried()
    copied(trial, "one", "other", count=30)
    step()
    job.refresh_from_db()
    assert job.state == State.SUCCEEDED
    assert (figures_of(trial).quality, report_of(trial).evidence) == (None, [])


def test_judges_are_waited_for_at_the_end(versions: Versions, judge: Scripted, wanted: JudgingWanted) -> None:
    first, second = versions
    promotion = promote_version(tenant=first.tenant, version=second, created_by=None, canary=CANARY, judging=wanted)
    trial = until_tried()
    copied(trial, "good", "good, too", count=2)
    let_time_pass(trial)
    step()
    promotion.job.refresh_from_db()
    assert promotion.job.state == State.SUCCEEDED
    assert len(judge.asked) == 4


def test_each_caller_of_a_canary_is_copied_once(versions: Versions) -> None:
    promote_version(tenant=versions[0].tenant, version=versions[1], created_by=None, canary=CANARY)
    trial = until_tried()
    copied(trial, "one\0", "other", count=1)
    assert trial.copies.get().live_text == "one\ufffd 0"
    assert not wants_copy(trial.id, f"{0:032x}")
    assert wants_copy(trial.id, f"{1:032x}")


@pytest.mark.parametrize(("percent", "copies", "field"), [(0, 0, "percent"), (10, 1_001, "copies"), (10, -1, "copies")])
def test_what_is_no_plan(percent: int, copies: int, field: str) -> None:
    with pytest.raises(PortalError) as refused:
        TrialPlan(percent=percent, minutes=60, copies=copies)
    assert refused.value.field == field


def test_a_rubric_that_is_gone_ends_the_trial_with_the_reason(versions: Versions, judge: Scripted) -> None:
    first, second = versions
    job = try_version(tenant=first.tenant, version=second, plan=SHADOW, created_by=None)
    trial = until_tried()
    trial.judging = {"judges": [], "rubric_version": "00000000-0000-0000-0000-000000000000"}
    trial.save()
    step()
    job.refresh_from_db()
    trial.refresh_from_db()
    assert (job.state, job.error_code, trial.state) == (State.FAILED, "judging:judge_unusable", TrialState.STOPPED)
    assert "The rubric that answers are compared by no longer exists" in job.error_text


def test_nothing_new_costs_no_look_at_verdicts(versions: Versions, judge: Scripted, wanted: JudgingWanted) -> None:
    promote_version(tenant=versions[0].tenant, version=versions[1], created_by=None, canary=CANARY, judging=wanted)
    trial = until_tried()
    copied(trial, "good", "good", count=3)
    step()
    trial.refresh_from_db()
    with CaptureQueriesContext(connection) as queries:
        assert judge_copies(trial)
    assert len(queries) == 1


def test_copies_are_forgotten_a_month_after_their_trial(versions: Versions, settings: Settings) -> None:
    first, second = versions
    try_version(tenant=first.tenant, version=second, plan=SHADOW, created_by=None)
    trial = until_tried()
    copied(trial, "good", "bad", count=3)
    forget_trial_copies()
    assert trial.copies.count() == 3, "it has not ended"
    stop_job(job_id=trial.job_id)
    step()
    Trial.objects.filter(id=trial.id).update(ended_at=timezone.now() - dt.timedelta(days=29))
    forget_trial_copies()
    assert trial.copies.count() == 3
    Trial.objects.filter(id=trial.id).update(ended_at=timezone.now() - dt.timedelta(days=31))
    settings.TRIAL_COPY_DAYS = 0
    forget_trial_copies()
    assert trial.copies.count() == 3
    settings.TRIAL_COPY_DAYS = 30
    forget_trial_copies()
    assert not trial.copies.exists()
    trial.refresh_from_db()
    assert trial.figures

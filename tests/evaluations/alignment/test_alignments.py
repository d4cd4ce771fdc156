"""A judge aligned with experts: from the grades of one half to a new version measured on the other, used or dropped."""

from collections.abc import Callable

import pytest
from django.db.models import Sum

from evaluations.agreement.labels import judgings_by, labels_of
from evaluations.agreement.report import reports_of
from evaluations.alignment.halves import measures
from evaluations.alignment.measured import Figures
from evaluations.alignment.overrides import candidates
from evaluations.alignment.proposal import proposal_for
from evaluations.alignment.services import drop_alignment, start_alignment, use_alignment
from evaluations.judges.services import change_judge, delete_judge
from evaluations.judging.aligned import example_rows
from evaluations.judging.jurors import JuryUnusable, grade_so_now, juror_for, juror_of, jury_of
from evaluations.licences.corrected import standing_of
from evaluations.licences.services import assess_judging, begin_licence_anew
from evaluations.models import (
    Alignment,
    AlignmentExample,
    AlignmentState,
    Answer,
    EvaluationRun,
    Judge,
    JudgeUsage,
    Judging,
    JudgingState,
    LicenceState,
    Review,
    RubricVersion,
    Turn,
    TurnState,
)
from evaluations.rubrics.document import parsed
from evaluations.rubrics.services import create_rubric
from evaluations.runs.judgings.estimates import estimate_judging
from evaluations.runs.judgings.services import start_judging
from jobs.models import Job
from jobs.services import stop_job
from rest.errors import Conflict, NotFound
from tenants.models import AuditEvent, Tenant, User
from tests.evaluations.alignment.conftest import ROWS, judged_by, truth
from tests.evaluations.judges.scripted_model import Said, ScriptedModel, verdict
from tests.evaluations.licences.cases import graded, qualified

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

RunJobs = Callable[..., None]
TWO = parsed(
    {
        "name": "Two",
        "criteria": [
            {"name": "Tone", "description": "Is it kind?", "scale": [1, 3]},
            {"name": "Facts", "description": "Is it right?", "scale": [1, 5]},
        ],
    }
)


def measured(tenant: Tenant, judge: Judge, run_jobs: RunJobs) -> Alignment:
    made = start_alignment(tenant=tenant, judge=judge, rubric_version=None)
    run_jobs()
    return Alignment.objects.select_related("job").get(id=made.id)


def test_one_half_teaches_and_the_other_measures(
    in_tenant: Tenant, judge: Judge, labelled: EvaluationRun, model: ScriptedModel, alice: User, run_jobs: RunJobs
) -> None:
    estimate = proposal_for(judge, None).estimate()
    made = start_alignment(tenant=in_tenant, judge=judge, rubric_version=None, created_by=alice)
    shown = list(made.examples.select_related("answer__item"))
    assert [(one.grade, one.score) for one in shown] == [(1, 5.0), (1, 5.0), (2, 5.0), (3, 5.0), (4, 5.0)]
    assert not any(measures(one.cluster) for one in shown)
    assert all(measures(cluster) for _, cluster, _, _ in made.measured)
    assert 30 <= len(made.measured) <= 60
    run_jobs()
    made = Alignment.objects.select_related("job").get(id=made.id)
    assert made.state == AlignmentState.MEASURED, made.job.error_text
    figures = Figures.from_dict(made.figures)
    assert (figures.verdict, figures.answers) == ("better", len(made.measured))
    assert figures.before is not None
    assert figures.after is not None
    assert figures.before.distance.mean == pytest.approx(2.5, abs=0.5)
    assert figures.after.distance.mean == 0.0
    # What it takes was said before, and is counted after.
    assert estimate.calls.low == estimate.calls.high == len(model.calls) == made.cost["calls"] == len(made.measured)
    assert float(made.cost["usd"]) > 0
    counted = JudgeUsage.objects.filter(purpose="testing", judge_key=str(judge.id)).aggregate(calls=Sum("calls"))
    assert counted["calls"] == len(made.measured)
    event = AuditEvent.objects.get(action="judge.alignment_started")
    assert (event.after["examples"], event.after["measured"]) == (5, len(made.measured))
    # Nothing has changed before somebody decides so.
    assert juror_for(juror_of(judge), None) == juror_of(judge)


def test_the_same_grades_give_the_same_examples_and_are_not_drawn_again(
    in_tenant: Tenant, judge: Judge, labelled: EvaluationRun, run_jobs: RunJobs
) -> None:
    first, second = proposal_for(judge, None), proposal_for(judge, None)
    assert first.after.fingerprint == second.after.fingerprint != first.before.fingerprint
    assert first.answers == second.answers
    measured(in_tenant, judge, run_jobs)
    with pytest.raises(Conflict, match="the same examples before") as raised:
        start_alignment(tenant=in_tenant, judge=judge, rubric_version=None)
    assert raised.value.code == "alignment:nothing_new"


def test_a_version_in_use_grades_with_its_examples_and_is_measured_without_their_rows(
    in_tenant: Tenant,
    judge: Judge,
    labelled: EvaluationRun,
    model: ScriptedModel,
    rita: User,
    alice: User,
    run_jobs: RunJobs,
) -> None:
    made = use_alignment(alignment=measured(in_tenant, judge, run_jobs), by=alice)
    assert (made.state, made.decided_by) == (AlignmentState.USED, alice)
    assert AuditEvent.objects.get(action="judge.alignment_used").before == {"state": "measured"}
    model.calls.clear()
    plain = juror_of(judge)
    takes = estimate_judging(run=labelled, jury=[plain], rubric_version=None, is_pairwise=False)
    judging = start_judging(tenant=in_tenant, run=labelled, jury=[plain])
    assert judging.judges[0]["fingerprint"] == made.fingerprint != plain.fingerprint
    run_jobs()
    judging = Judging.objects.get(id=judging.id)
    assert judging.state == JudgingState.READY, judging.why
    assert all("graded examples" in system for system, _ in model.calls)
    assert takes.calls.low == len(model.calls)
    # The rows that it was shown do not count, neither beside experts nor in the mean that they correct.
    rows = example_rows(judging.judges)
    assert len(rows) == 5
    labels = labels_of(judgings_by(made.fingerprint, None), None, since=None)
    assert len(labels) == ROWS - 5
    assert not rows & {one.cluster for one in labels}
    (report,) = reports_of(labelled)
    counts = {str(one.judging): one.found.count for one in report.judges if one.found}
    assert counts[str(judging.id)] == ROWS - 5
    own = next(one for one in standing_of(judging).means if one.key == "v1")
    assert own.labels == ROWS - 5
    assert own.powered is None


def test_its_licence_begins_anew_on_grades_that_come_after(
    in_tenant: Tenant, judge: Judge, labelled: EvaluationRun, rita: User, run_jobs: RunJobs
) -> None:
    plain = juror_of(judge)
    qualified(labelled, fingerprint=plain.fingerprint)
    assess_judging(judging=Judging.objects.get(judges__contains=[{"id": str(judge.id)}]))
    use_alignment(alignment=measured(in_tenant, judge, run_jobs))
    judging = start_judging(tenant=in_tenant, run=labelled, jury=[plain])
    run_jobs()
    found = assess_judging(judging=Judging.objects.get(id=judging.id))
    assert found is not None
    assert (found.state, found.labels, found.is_aligned) == (LicenceState.PROVISIONAL, 0, True)
    # The test of the judge itself holds: the built-in questions have no examples.
    assert "Experts have graded 0 of the 30" in found.reason
    graded(labelled, [truth(number) for number in range(ROWS)], reviewers=[rita])
    again = assess_judging(judging=Judging.objects.get(id=judging.id))
    assert again is not None
    assert again.labels == ROWS - 5
    rows = example_rows(found.judges)
    assert rows
    assert not again.frozen_rows.filter(answer__item__prompt_sha256__in=rows).exists()


def test_a_dropped_version_leaves_the_judge_as_it_was(
    in_tenant: Tenant, judge: Judge, labelled: EvaluationRun, alice: User, run_jobs: RunJobs
) -> None:
    made = measured(in_tenant, judge, run_jobs)
    plain = juror_of(judge).to_dict()
    assert grade_so_now([plain], None)
    use_alignment(alignment=made)
    recorded = juror_for(juror_of(judge), None).to_dict()
    assert juror_for(juror_of(judge), None).aligned is not None
    # Only what grades now is asked about its frozen answers every night.
    assert grade_so_now([recorded], None)
    assert not grade_so_now([plain], None)
    assert drop_alignment(alignment=made, by=alice).state == AlignmentState.DROPPED
    assert juror_for(juror_of(judge), None) == juror_of(judge)
    assert grade_so_now([plain], None)
    assert not grade_so_now([recorded], None)
    # A judging under way goes on as it began.
    assert jury_of([recorded])[0].fingerprint == made.fingerprint
    with pytest.raises(Conflict, match="has been measured"):
        use_alignment(alignment=made)
    assert AuditEvent.objects.get(action="judge.alignment_dropped").before == {"state": "used"}


def test_a_judge_that_changes_grades_without_its_examples(
    in_tenant: Tenant, judge: Judge, labelled: EvaluationRun, run_jobs: RunJobs
) -> None:
    made = measured(in_tenant, judge, run_jobs)
    use_alignment(alignment=made)
    changed = change_judge(judge=judge, temperature=0.5)
    assert juror_for(juror_of(changed), None).aligned is None
    drop_alignment(alignment=made)
    Alignment.objects.filter(id=made.id).update(state=AlignmentState.MEASURED)
    with pytest.raises(Conflict, match="changed after it was aligned"):
        use_alignment(alignment=made)


def test_deleting_an_example_ends_the_version(
    in_tenant: Tenant, judge: Judge, labelled: EvaluationRun, run_jobs: RunJobs
) -> None:
    made = measured(in_tenant, judge, run_jobs)
    use_alignment(alignment=made)
    recorded = juror_for(juror_of(judge), None).to_dict()
    Answer.objects.filter(id=made.examples.all()[0].answer_id).delete()
    assert made.examples.count() == 4
    assert juror_for(juror_of(judge), None).aligned is None
    with pytest.raises(JuryUnusable, match="was changed"):
        jury_of([recorded])
    Alignment.objects.filter(id=made.id).update(state=AlignmentState.MEASURED)
    with pytest.raises(Conflict, match="One of the examples was deleted"):
        use_alignment(alignment=made)


def test_taking_a_review_back_leaves_the_example_as_it_was(
    in_tenant: Tenant, judge: Judge, labelled: EvaluationRun, run_jobs: RunJobs
) -> None:
    made = measured(in_tenant, judge, run_jobs)
    use_alignment(alignment=made)
    Review.objects.all().delete()
    aligned = juror_for(juror_of(judge), None).aligned
    assert aligned is not None
    assert [one.grade for one in aligned.examples["Correctness"]] == [1, 1, 2, 3, 4]


def test_what_a_judge_gave_before_its_licence_was_begun_anew_does_not_count(
    in_tenant: Tenant, judge: Judge, labelled: EvaluationRun
) -> None:
    licence = assess_judging(judging=Judging.objects.get(judges__contains=[{"id": str(judge.id)}]))
    assert licence is not None
    assert proposal_for(judge, None).labels == ROWS
    begin_licence_anew(licence=licence)
    with pytest.raises(Conflict, match="Experts have graded 0 random answers"):
        proposal_for(judge, None)


def test_rows_that_teach_a_jury_do_not_count_for_it_either(
    in_tenant: Tenant, judge: Judge, labelled: EvaluationRun, run_jobs: RunJobs
) -> None:
    made = measured(in_tenant, judge, run_jobs)
    use_alignment(alignment=made)
    aligned = juror_for(juror_of(judge), None)
    other = {"alias": "default", "name": "Other", "fingerprint": "cd" * 32, "is_llm": False}
    assert len(example_rows([other, aligned.to_dict()])) == 5
    assert example_rows([other]) == frozenset()


def test_too_few_grades_and_nothing_to_learn_are_refused_with_a_reason(
    in_tenant: Tenant, judge: Judge, run: EvaluationRun, rita: User
) -> None:
    judged_by(judge, run)
    graded(run, [1.0] * 20, reviewers=[rita])
    with pytest.raises(Conflict, match="at least 20 are needed") as raised:
        start_alignment(tenant=in_tenant, judge=judge, rubric_version=None)
    assert raised.value.code == "alignment:too_few_labels"
    graded(run, [4.5] * (ROWS - 20), reviewers=[rita], start=20)
    Review.objects.update(grade=4.5)
    with pytest.raises(Conflict, match="nothing to show it"):
        start_alignment(tenant=in_tenant, judge=judge, rubric_version=None)
    assert not Alignment.objects.exists()


def test_a_second_one_waits_for_the_first_and_a_stopped_one_is_no_version(
    in_tenant: Tenant, judge: Judge, labelled: EvaluationRun, run_jobs: RunJobs
) -> None:
    made = start_alignment(tenant=in_tenant, judge=judge, rubric_version=None)
    with pytest.raises(Conflict, match="being aligned already"):
        start_alignment(tenant=in_tenant, judge=judge, rubric_version=None)
    stop_job(job_id=made.job_id)
    run_jobs()
    made.refresh_from_db()
    assert made.state == AlignmentState.STOPPED
    with pytest.raises(Conflict):
        use_alignment(alignment=made)
    start_alignment(tenant=in_tenant, judge=judge, rubric_version=None)


def test_changing_or_deleting_the_judge_meanwhile_fails_the_job(
    in_tenant: Tenant, judge: Judge, labelled: EvaluationRun, run_jobs: RunJobs
) -> None:
    made = start_alignment(tenant=in_tenant, judge=judge, rubric_version=None)
    change_judge(judge=judge, temperature=0.7)
    run_jobs()
    made.refresh_from_db()
    assert (made.state, made.job.error_code) == (AlignmentState.FAILED, "alignment:judge_changed")
    change_judge(judge=judge, temperature=0.0)
    again = start_alignment(tenant=in_tenant, judge=judge, rubric_version=None)
    delete_judge(judge=judge)
    run_jobs()
    again.job.refresh_from_db()
    assert again.job.error_code == "alignment:judge_deleted"
    with pytest.raises(NotFound):
        use_alignment(alignment=again)


def test_answers_that_get_no_grade_leave_it_open(
    in_tenant: Tenant, judge: Judge, labelled: EvaluationRun, model: ScriptedModel, run_jobs: RunJobs
) -> None:
    model.says = lambda system, user: Said(fault="refused") if len(model.calls) % 5 == 0 else verdict(3)
    made = measured(in_tenant, judge, run_jobs)
    assert made.state == AlignmentState.MEASURED
    assert Figures.from_dict(made.figures).verdict == "incomplete"


def test_each_criterion_of_a_rubric_has_its_own_examples(
    in_tenant: Tenant, judge: Judge, run: EvaluationRun, model: ScriptedModel, rita: User, run_jobs: RunJobs
) -> None:
    version = RubricVersion.objects.select_related("rubric").get(rubric=create_rubric(tenant=in_tenant, document=TWO))
    model.says = lambda system, user: verdict(2)
    judged_by(judge, run, version)
    graded(run, [2.0] * ROWS, reviewers=[rita], rubric_version=version)
    Review.objects.update(grades={"Tone": 1, "Facts": 5}, comment="Rude. " * 200)
    made = start_alignment(tenant=in_tenant, judge=judge, rubric_version=version)
    # By Facts they agree; the judge's 5 by Tone lies off the scale in this made-up judging, and they disagree.
    assert {one.criterion for one in made.examples.all()} == {"Tone"}
    assert all(len(one.comment) <= 400 for one in made.examples.all())
    run_jobs()
    made.refresh_from_db()
    assert made.state == AlignmentState.MEASURED
    tone = [system for system, _ in model.calls if "Criterion: Tone" in system]
    facts = [system for system, _ in model.calls if "Criterion: Facts" in system]
    assert all("graded example" in system for system in tone)
    assert not any("graded example" in system for system in facts)
    use_alignment(alignment=made)
    assert juror_for(juror_of(judge), version).aligned is not None
    # Other rubrics keep the judge, and its licence, as it is.
    assert juror_for(juror_of(judge), None).aligned is None


def test_only_what_experts_said_before_they_saw_the_judges_grade_teaches(
    in_tenant: Tenant, judge: Judge, run: EvaluationRun, rita: User
) -> None:
    version = RubricVersion.objects.select_related("rubric").get(rubric=create_rubric(tenant=in_tenant, document=TWO))
    judging = judged_by(judge, run, version)
    round_ = graded(run, [2.0] * ROWS, reviewers=[rita], rubric_version=version)
    Review.objects.update(grades={"Facts": 1}, has_seen_judge=True)
    Turn.objects.bulk_create(
        Turn(
            tenant_id=run.tenant_id,
            round_item=item,
            reviewer=rita,
            state=TurnState.GRADED,
            expires_at=item.created_at,
            has_seen_judge=True,
            blind_grade=2.0,
        )
        for item in round_.items.all()
    )
    labels = labels_of([judging], version.id, since=None)
    assert len(labels) == ROWS
    assert candidates([judging], labels, version) == []
    Review.objects.update(is_adjudication=True)
    assert {one.grade for one in candidates([judging], labels, version)} == {1}


def test_a_row_without_a_known_prompt_is_no_example(in_tenant: Tenant, judge: Judge, labelled: EvaluationRun) -> None:
    labelled.items.update(prompt_sha256="")
    assert (
        candidates(
            list(Judging.objects.filter(judges__contains=[{"id": str(judge.id)}])),
            labels_of(judgings_by(juror_of(judge).fingerprint, None), None, since=None),
            None,
        )
        == []
    )


def test_using_another_version_drops_the_one_in_use(
    in_tenant: Tenant, judge: Judge, labelled: EvaluationRun, run_jobs: RunJobs
) -> None:
    first = measured(in_tenant, judge, run_jobs)
    use_alignment(alignment=first)
    second = Alignment.objects.get(id=first.id)
    second.pk, second.state, second.job = None, AlignmentState.MEASURED, _job_like(first)
    second._state.adding = True
    second.save()
    AlignmentExample.objects.bulk_create(
        AlignmentExample(
            tenant_id=one.tenant_id, alignment=second, position=one.position, criterion=one.criterion,
            answer_id=one.answer_id, cluster=one.cluster, grade=one.grade, score=one.score, comment=one.comment,
        )
        for one in first.examples.all()
    )  # fmt: skip
    use_alignment(alignment=second)
    first.refresh_from_db()
    assert first.state == AlignmentState.DROPPED
    assert Alignment.objects.filter(state=AlignmentState.USED).get() == second


def _job_like(alignment: Alignment) -> Job:
    job: Job = alignment.job
    job.pk = None
    job._state.adding = True
    job.save()
    return job

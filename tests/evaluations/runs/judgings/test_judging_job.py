"""An evaluation's answers judged by a language model, from the queue to the grades."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db.models import Sum

from evaluations.judges.services import change_judge, delete_judge
from evaluations.judging.jurors import juror_of
from evaluations.models import EvaluationRun, EvaluationState, Grade, Judge, JudgeUsage, Judging, JudgingState
from evaluations.rubrics.document import parsed
from evaluations.rubrics.services import create_rubric, delete_rubric
from evaluations.runs.judgings.services import JudgingWanted, start_judging
from evaluations.runs.queries import answers_of, runs_with_findings
from evaluations.runs.report import headline
from evaluations.runs.services import start_evaluation
from jobs.models import Job
from jobs.services import stop_job
from rest.errors import Conflict, PortalError
from tenants.models import Tenant
from tests.evaluations.conftest import Respond, good_adapter
from tests.evaluations.judges.scripted_model import Said, ScriptedModel, obedient, verdict

RunJobs = Callable[..., None]
MakeEvaluation = Callable[..., EvaluationRun]


def ended(judging: Judging) -> Judging:
    return Judging.objects.select_related("job").get(id=judging.id)


def test_every_answer_gets_a_grade_and_the_page_its_mean(
    in_tenant: Tenant, make_evaluation: MakeEvaluation, judge: Judge, model: ScriptedModel, run_jobs: RunJobs
) -> None:
    run = make_evaluation(in_tenant)
    judging = start_judging(tenant=in_tenant, run=run, jury=[juror_of(judge)])
    run_jobs()
    judging = ended(judging)
    assert (judging.state, judging.why) == (JudgingState.READY, ""), judging.job and judging.job.error_text
    assert judging.summary["all"]["figures"] == {"base": 1.0, "v1": 5.0}
    assert judging.summary["all"]["models"]["v1"]["judged"] == 6
    assert judging.summary["unseen"]["models"]["base"]["rows"] == 2
    assert len(model.calls) == judging.usage["calls"] == 12
    assert judging.usage["cost_usd"] > 0
    counted = JudgeUsage.objects.filter(purpose="judging").aggregate(calls=Sum("calls"), usd=Sum("usd"))
    assert counted["calls"] == 12
    assert float(counted["usd"]) == pytest.approx(judging.usage["cost_usd"])
    found = runs_with_findings().get(id=run.id)
    item = found.items.all()[0]
    base, own = answers_of(found, [item])[item.id]
    assert base.grade is not None
    assert own.grade is not None
    assert (base.grade.judging, base.grade.score, own.grade.score) == (judging, 1.0, 5.0)
    assert own.grade.detail["Correctness"]["Strict"]["score"] == 5.0
    report = headline(found)
    assert report is not None
    assert (report.by_alias["judge"].own, report.by_alias["judge"].note) == ("5.00", "Strict")


def test_judging_again_pays_for_nothing(
    in_tenant: Tenant, make_evaluation: MakeEvaluation, judge: Judge, model: ScriptedModel, run_jobs: RunJobs
) -> None:
    run = make_evaluation(in_tenant)
    for _ in range(2):
        judging = start_judging(tenant=in_tenant, run=run, jury=[juror_of(judge)])
        run_jobs()
    assert len(model.calls) == 12
    judging = ended(judging)
    assert (judging.state, judging.usage["calls"]) == (JudgingState.READY, 0)
    assert Grade.objects.filter(judging=judging).count() == 12


def test_a_jury_grades_by_a_rubric_and_in_pairs(
    in_tenant: Tenant, make_evaluation: MakeEvaluation, make_judge: Callable[..., Judge], run_jobs: RunJobs
) -> None:
    run = make_evaluation(in_tenant)
    criteria = [{"name": "Facts", "description": "Are they right?"}, {"name": "Form", "description": "Is it short?"}]
    rubric = create_rubric(tenant=in_tenant, document=parsed({"name": "Clauses", "criteria": criteria}))
    jury = [juror_of(make_judge()), juror_of(make_judge("Lenient", model="other"))]
    judging = start_judging(
        tenant=in_tenant, run=run, jury=jury, rubric_version=rubric.versions.get(), is_pairwise=True
    )
    run_jobs()
    total = ended(judging).summary["all"]
    assert total["models"]["v1"]["by_judge"] == {"Strict": 5.0, "Lenient": 5.0}
    assert total["models"]["base"]["by_criterion"] == {"Facts": 1.0, "Form": 1.0}
    (pair,) = total["pairs"]
    assert (pair["pair"], pair["wins"], pair["losses"], pair["flip_rate"]) == (["v1", "base"], 6, 0, 0.0)


def test_too_few_verdicts_are_incomplete_and_never_a_grade(
    in_tenant: Tenant, make_evaluation: MakeEvaluation, judge: Judge, model: ScriptedModel, run_jobs: RunJobs
) -> None:
    run = make_evaluation(in_tenant)

    def says(system: str, user: str) -> Said:
        return Said(fault="refused") if "box 3?" in user else obedient(system, user)

    model.says = says
    judging = start_judging(tenant=in_tenant, run=run, jury=[juror_of(judge)])
    run_jobs()
    judging = ended(judging)
    assert judging.state == JudgingState.INCOMPLETE
    assert judging.why.startswith("INCOMPLETE")
    assert Grade.objects.filter(judging=judging).count() == 10
    assert judging.summary["all"]["models"]["v1"]["judged"] == 5


def test_a_judge_changed_on_the_way_ends_it(
    in_tenant: Tenant, make_evaluation: MakeEvaluation, judge: Judge, run_jobs: RunJobs
) -> None:
    judging = start_judging(tenant=in_tenant, run=make_evaluation(in_tenant), jury=[juror_of(judge)])
    Judge.objects.filter(id=judge.id).update(model="other")
    run_jobs()
    judging = ended(judging)
    assert (judging.state, "was changed" in judging.why) == (JudgingState.FAILED, True)


def test_a_stopped_one_says_so(in_tenant: Tenant, make_evaluation: MakeEvaluation, judge: Judge) -> None:
    judging = start_judging(tenant=in_tenant, run=make_evaluation(in_tenant), jury=[juror_of(judge)])
    assert judging.job is not None
    stop_job(job_id=judging.job.id)
    assert ended(judging).state == JudgingState.STOPPED


def test_only_ready_answers_are_judged_and_once_at_a_time(
    in_tenant: Tenant, make_evaluation: MakeEvaluation, judge: Judge
) -> None:
    run = make_evaluation(in_tenant)
    with pytest.raises(PortalError, match="Choose 1 to 5 judges"):
        start_judging(tenant=in_tenant, run=run, jury=[])
    start_judging(tenant=in_tenant, run=run, jury=[juror_of(judge)])
    with pytest.raises(Conflict, match="being judged already"):
        start_judging(tenant=in_tenant, run=run, jury=[juror_of(judge)])
    run.state = EvaluationState.RUNNING
    with pytest.raises(Conflict, match="Wait until the evaluation has finished"):
        start_judging(tenant=in_tenant, run=run, jury=[juror_of(judge)])
    assert Job.objects.filter(kind="judging").count() == 1


def test_a_jury_is_of_different_judges(
    in_tenant: Tenant, make_evaluation: MakeEvaluation, make_judge: Callable[..., Judge]
) -> None:
    run = make_evaluation(in_tenant)
    jury = [juror_of(make_judge()), juror_of(make_judge("Twin"))]
    with pytest.raises(PortalError, match="“Twin” and “Strict” are the same model"):
        start_judging(tenant=in_tenant, run=run, jury=jury)
    namesake = replace(juror_of(make_judge("Other", model="other")), name="Strict")
    with pytest.raises(PortalError, match="Two of these judges are called “Strict”"):
        start_judging(tenant=in_tenant, run=run, jury=[jury[0], namesake])
    assert not Judging.objects.filter(run=run).exclude(job=None).exists()


def test_one_renamed_on_the_way_keeps_its_name(
    in_tenant: Tenant, make_evaluation: MakeEvaluation, judge: Judge, run_jobs: RunJobs
) -> None:
    judging = start_judging(tenant=in_tenant, run=make_evaluation(in_tenant), jury=[juror_of(judge)])
    change_judge(judge=judge, name="Renamed")
    run_jobs()
    assert ended(judging).summary["all"]["models"]["v1"]["by_judge"] == {"Strict": 5.0}


def test_a_judge_deleted_on_the_way_ends_it(
    in_tenant: Tenant, make_evaluation: MakeEvaluation, judge: Judge, model: ScriptedModel, run_jobs: RunJobs
) -> None:
    judging = start_judging(tenant=in_tenant, run=make_evaluation(in_tenant), jury=[juror_of(judge)])
    delete_judge(judge=judge)
    run_jobs()
    judging = ended(judging)
    assert (judging.state, "“Strict” no longer exists" in judging.why) == (JudgingState.FAILED, True)
    assert model.calls == []


def test_a_rubric_deleted_in_the_meantime_is_not_replaced_by_another(
    in_tenant: Tenant,
    make_evaluation: MakeEvaluation,
    answer_with: Callable[[Respond], None],
    judge: Judge,
    model: ScriptedModel,
    run_jobs: RunJobs,
) -> None:
    version = make_evaluation(in_tenant).version
    criteria = [{"name": "Facts", "description": "Are they right?"}]
    rubric = create_rubric(tenant=in_tenant, document=parsed({"name": "Clauses", "criteria": criteria}))
    answer_with(good_adapter)
    wanted = JudgingWanted(jury=[juror_of(judge)], rubric_version=rubric.versions.get())
    run = start_evaluation(tenant=in_tenant, version=version, judging=wanted)
    delete_rubric(rubric=rubric)
    run_jobs()
    assert EvaluationRun.objects.get(id=run.id).state == EvaluationState.READY
    assert model.calls == []


def test_judges_chosen_with_an_evaluation_grade_its_answers_at_once(
    in_tenant: Tenant,
    make_evaluation: MakeEvaluation,
    answer_with: Callable[[Respond], None],
    judge: Judge,
    model: ScriptedModel,
    run_jobs: RunJobs,
) -> None:
    version = make_evaluation(in_tenant).version
    model.says = lambda system, user: verdict(4)
    answer_with(good_adapter)
    wanted = JudgingWanted(jury=[juror_of(judge)])
    run = start_evaluation(tenant=in_tenant, version=version, judging=wanted)
    run_jobs()
    run = runs_with_findings().get(id=run.id)
    assert run.state == EvaluationState.READY, run.job.error_text
    assert run.last_judging is not None
    assert (run.last_judging.is_llm, run.last_judging.summary["all"]["figures"]["v1"]) == (True, 4.0)

"""The job that measures an aligned judge: it grades the answers of one half as the judge before it did."""

from dataclasses import replace
from functools import partial
from typing import Any

from evaluations.alignment.measured import Figures, Pair, figures_of
from evaluations.alignment.overrides import rubric_of
from evaluations.alignment.rows import ANSWER, rows_of
from evaluations.alignment.words import sentence
from evaluations.judges.backends.errors import Unauthorised
from evaluations.judging.aligned import stored
from evaluations.judging.jurors import Juror, aligned_juror, juror_of
from evaluations.judging.plan import Plan
from evaluations.judging.results import results
from evaluations.judging.steps import Standing, advance, standings_of
from evaluations.models import Alignment, AlignmentState, CallPurpose
from jobs.kinds import Kind
from jobs.models import Job
from jobs.outcomes import Failed, JobError, Outcome, Running, Stopped, Succeeded

GONE = Failed(error=JobError(code="alignment:judge_deleted", text="The judge no longer exists."))
CHANGED = Failed(
    error=JobError(
        code="alignment:judge_changed",
        text="The judge was changed, or an example was deleted, while it was measured. Align it again.",
    )
)


class AlignmentKind(Kind):
    """Each step asks for about 15 seconds. Verdicts are stored as they come, so nothing is paid for twice."""

    name = "judge_alignment"
    title = "Judge alignment"

    def step(self, job: Job) -> Outcome:
        found = Alignment.objects.select_related("judge", "rubric_version__rubric").filter(job=job).first()
        if found is None:
            return GONE
        try:
            plain = juror_of(found.judge)
        except Unauthorised as error:
            return Failed(error=JobError(code="alignment:unauthorised", text=error.text))
        juror = replace(aligned_juror(plain, stored(found)), purpose=CallPurpose.TESTING)
        if (plain.fingerprint, juror.fingerprint) != (found.judge_fingerprint, found.fingerprint):
            return CHANGED
        plan, answers = Plan(rubric=rubric_of(found.rubric_version)), [answer for answer, *_ in found.measured]
        stage = advance([juror], plan, partial(rows_of, answers), found.progress, total=len(answers))
        standing = standings_of([juror], stage.state)[juror.fingerprint]
        Alignment.objects.filter(id=found.id).update(progress=stage.state, cost=_cost(standing))
        if not stage.over:
            waits_for = JobError(code="alignment:waits", text=stage.waits_for, temporary=True)
            return Running(
                after=stage.wait,
                phase="grading",
                fraction=stage.fraction,
                waits_for=waits_for if stage.waits_for else None,
            )
        return Succeeded(result={"figures": figures_of(_pairs(found, juror, plan), asked=len(answers)).to_dict()})

    def cancel(self, job: Job) -> Outcome:
        return Stopped()

    def outcome(self, job: Job) -> str:
        return sentence(Figures.from_dict(job.result["figures"]))

    def on_succeeded(self, job: Job) -> None:
        Alignment.objects.filter(job=job).update(state=AlignmentState.MEASURED, figures=job.result["figures"])

    def on_failed(self, job: Job) -> None:
        Alignment.objects.filter(job=job).update(state=AlignmentState.FAILED)

    def on_stopped(self, job: Job) -> None:
        Alignment.objects.filter(job=job).update(state=AlignmentState.STOPPED)


def _pairs(found: Alignment, juror: Juror, plan: Plan) -> list[Pair]:
    known = {answer: (cluster, grade, before) for answer, cluster, grade, before in found.measured}
    pairs = []
    for result in results([juror], plan, rows_of(list(known))):
        after = result.grades[ANSWER].grade if ANSWER in result.grades else None
        if after is not None:
            cluster, grade, before = known[result.row.id]
            pairs.append(Pair(cluster=cluster, grade=grade, before=before, after=after))
    return pairs


def _cost(standing: Standing) -> dict[str, Any]:
    """Of every call, also of those that led to no verdict."""
    return {
        "calls": standing.calls,
        "tokens_in": standing.tokens_in,
        "tokens_out": standing.tokens_out,
        "usd": standing.usd,
    }

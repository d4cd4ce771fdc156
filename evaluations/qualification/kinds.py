"""The job that tries a judge: short steps, and after the last one its figures."""

from typing import Any

from evaluations.judges.backends.errors import Unauthorised
from evaluations.judging import news
from evaluations.judging.jurors import Juror
from evaluations.judging.steps import Standing, advance, standings_of
from evaluations.models import Qualification, QualificationState
from evaluations.qualification.cases import everything
from evaluations.qualification.plan import BuiltIn, asked_anew, judge_of, rows
from evaluations.qualification.results import cost, examples, figures, verdicts
from jobs.kinds import Kind
from jobs.models import Job
from jobs.outcomes import Failed, JobError, Outcome, Running, Stopped, Succeeded

MOST_IDLE = 5
"""Steps in a row without a verdict until the judge is given up: some eight minutes with the waits between them."""

GONE = Failed(error=JobError(code="qualification:judge_deleted", text="The judge no longer exists."))
CHANGED = Failed(
    error=JobError(
        code="qualification:judge_changed",
        text="The judge was changed while it was being tested. Test its new version.",
    )
)


class QualificationKind(Kind):
    """Asks a judge all built-in questions. A worker that dies has paid in vain for the calls in flight at most."""

    name = "judge_qualification"
    title = "Judge test"

    def step(self, job: Job) -> Outcome:
        found = qualification_of(job)
        if found is None:
            return GONE
        try:
            juror = judge_of(found)
        except KeyError:
            return GONE
        except Unauthorised as error:
            return Failed(error=JobError(code="qualification:unauthorised", text=error.text))
        if juror.fingerprint != found.fingerprint:
            return CHANGED
        juror = asked_anew(juror, found)
        stage = advance([juror], BuiltIn(), rows, found.progress, total=len(everything()))
        Qualification.objects.filter(id=found.id).update(progress=stage.state, cost=cost(juror))
        standing = standings_of([juror], stage.state)[juror.fingerprint]
        if not stage.over and standing.idle < MOST_IDLE:
            waits_for = JobError(code="qualification:waiting", text=stage.waits_for, temporary=True)
            return Running(
                after=stage.wait,
                phase="grading",
                fraction=stage.fraction,
                waits_for=waits_for if stage.waits_for else None,
            )
        return self._ended(juror, standing)

    def cancel(self, job: Job) -> Outcome:
        return Stopped()

    def outcome(self, job: Job) -> str:
        counts = job.result["figures"]
        return f"{counts['judged']} of {counts['asked']} answers were judged."

    def on_succeeded(self, job: Job) -> None:
        result = job.result
        enough = result["complete"]
        state = QualificationState.READY if enough else QualificationState.INCOMPLETE
        _end(job, state, figures=result["figures"], examples=result["examples"])
        news.announce(job.tenant_id)

    def on_failed(self, job: Job) -> None:
        _end(job, QualificationState.FAILED)

    def on_stopped(self, job: Job) -> None:
        _end(job, QualificationState.STOPPED)

    def _ended(self, juror: Juror, standing: Standing) -> Outcome:
        known = verdicts(juror)
        if not known:
            text = standing.down or "The judge gave no verdict that can be read. Try the judge to see its reply."
            return Failed(error=JobError(code="qualification:no_verdicts", text=text))
        found = figures(known, standing.left)
        return Succeeded(result={"figures": found.to_dict(), "complete": found.complete, "examples": examples(known)})


def qualification_of(job: Job) -> Qualification | None:
    """None if it was deleted with its judge."""
    found: Qualification | None = Qualification.objects.select_related("judge").filter(job=job).first()
    return found


def _end(job: Job, state: QualificationState, **content: Any) -> None:
    Qualification.objects.filter(job=job).update(state=state, **content)

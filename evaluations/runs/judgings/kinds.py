"""The judging job: language models grade an evaluation's answers, a few at a time."""

from functools import partial
from typing import Any

from evaluations.judging import news
from evaluations.judging.jurors import jury_of
from evaluations.judging.steps import advance
from evaluations.models import Judging, JudgingState
from evaluations.runs.judgings.results import conclude
from evaluations.runs.judgings.rows import plan_of, rows_from
from jobs.kinds import Kind
from jobs.models import Job
from jobs.outcomes import JobError, Outcome, Running, Stopped, Succeeded


class JudgingKind(Kind):
    """Each step asks for about 15 seconds. Verdicts are stored as they come, so nothing is paid for twice."""

    name = "judging"
    title = "Judging"

    def step(self, job: Job) -> Outcome:
        judging = _judging_of(job)
        jury, plan = jury_of(judging.judges), plan_of(judging)
        stage = advance(jury, plan, partial(rows_from, judging.run), judging.progress, total=judging.run.items.count())
        judging.progress = stage.state
        judging.save(update_fields=["progress"])
        if not stage.over:
            waits_for = (
                JobError(code="judging:waits", text=stage.waits_for, temporary=True) if stage.waits_for else None
            )
            return Running(after=stage.wait, phase="judging", fraction=stage.fraction, waits_for=waits_for)
        return Succeeded(result=conclude(judging, jury, plan))

    def cancel(self, job: Job) -> Outcome:
        return Stopped()

    def outcome(self, job: Job) -> str:
        return str(job.result["why"]) or "All answers were judged."

    def on_succeeded(self, job: Job) -> None:
        result: dict[str, Any] = job.result
        Judging.objects.filter(job=job).update(
            state=JudgingState.READY if result["is_complete"] else JudgingState.INCOMPLETE,
            why=result["why"],
            summary=result["summary"],
            usage=result["usage"],
        )
        news.announce(job.tenant_id)

    def on_failed(self, job: Job) -> None:
        Judging.objects.filter(job=job).update(state=JudgingState.FAILED, why=job.error_text)

    def on_stopped(self, job: Job) -> None:
        Judging.objects.filter(job=job).update(state=JudgingState.STOPPED)


def _judging_of(job: Job) -> Judging:
    return Judging.objects.select_related("run__version", "rubric_version__rubric").get(job=job)

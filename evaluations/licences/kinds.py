"""The job that has a judge grade its frozen answers again."""

from functools import partial
from typing import Any

from evaluations.judging import news
from evaluations.judging.jurors import jury_of
from evaluations.judging.steps import advance
from evaluations.licences.rejudging import asked_again, plan_of, rows_of, shifted
from evaluations.models import Rejudging
from jobs.kinds import Kind
from jobs.models import Job
from jobs.outcomes import Failed, JobError, Outcome, Running, Stopped, Succeeded

GONE = Failed(error=JobError(code="licence:gone", text="The licence no longer exists."))


class RejudgingKind(Kind):
    """Tells drift of the judge from drift of the data, which needs experts: the answers are always the same."""

    name = "judge_again"
    title = "Judging again"

    def step(self, job: Job) -> Outcome:
        found = Rejudging.objects.select_related("licence__rubric_version__rubric").filter(job=job).first()
        if found is None:
            return GONE
        jury, plan = asked_again(jury_of(found.licence.judges), found), plan_of(found.licence)
        total = found.licence.frozen_rows.count()
        stage = advance(jury, plan, partial(rows_of, found.licence), found.progress, total=total)
        found.progress = stage.state
        found.save(update_fields=["progress"])
        if not stage.over:
            waits_for = (
                JobError(code="licence:waits", text=stage.waits_for, temporary=True) if stage.waits_for else None
            )
            return Running(after=stage.wait, phase="judging", fraction=stage.fraction, waits_for=waits_for)
        came = shifted(found, jury, plan)
        return Succeeded(
            result={"rows": came.rows, "shift": came.shift, "low": came.low, "high": came.high, "usage": came.usage}
        )

    def cancel(self, job: Job) -> Outcome:
        return Stopped()

    def outcome(self, job: Job) -> str:
        result: dict[str, Any] = job.result
        if result["shift"] is None:
            return "Too few answers got a grade again."
        return f"{result['rows']} answers got {result['shift']:+.2f} compared with their first grade."

    def on_succeeded(self, job: Job) -> None:
        Rejudging.objects.filter(job=job).update(**job.result)
        news.announce(job.tenant_id)

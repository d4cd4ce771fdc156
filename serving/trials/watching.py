"""One look at a running trial: go on, halt, or pass."""

import datetime as dt

from django.utils import timezone

from jobs.outcomes import Failed, JobError, Running
from serving.models import Trial, TrialState
from serving.trials.figures import figures_of, measured
from serving.trials.quality import judge_copies
from serving.trials.report import halted
from serving.trials.services import end_trial

LOOK_SECONDS = 5.0
LATEST_VERDICT = dt.timedelta(minutes=30)
"""After the end, judges are no longer waited for."""


def watch(trial: Trial) -> Running | Failed | None:
    """None once it has passed. It halts at the first look at which harm is shown. Called outside a transaction.

    Raises JuryUnusable.
    """
    if trial.state == TrialState.RUNNING:
        is_judged = not trial.judging or judge_copies(trial)
        now = timezone.now()
        is_over = now >= trial.ends_at or (trial.is_shadow and trial.copies.count() >= trial.copies_wanted)
        if measured(trial, now=now).harm:
            end_trial(trial, TrialState.HALTED)
        elif is_over and (is_judged or now >= trial.ends_at + LATEST_VERDICT):
            end_trial(trial, TrialState.PASSED)
        else:
            return _goes_on(trial, is_over=is_over, left=max(0.0, (trial.ends_at - now).total_seconds()))
    if trial.state == TrialState.PASSED:
        return None
    if trial.state == TrialState.HALTED:
        return Failed(error=JobError(code="trial:halted", text=halted(trial, figures_of(trial))))
    return Failed(error=JobError(code="trial:stopped", text="The trial was stopped because the live version changed."))


def _goes_on(trial: Trial, *, is_over: bool, left: float) -> Running:
    if is_over:
        return Running(after=LOOK_SECONDS, phase="comparing answers", fraction=0.9)
    whole = (trial.ends_at - trial.created_at).total_seconds()
    return Running(
        after=min(LOOK_SECONDS, left + 0.1),
        phase="answering unseen" if trial.is_shadow else "trying on callers",
        fraction=0.3 + 0.6 * (1 - left / whole),
        eta_seconds=left,
    )

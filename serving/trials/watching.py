"""One look at a running trial: go on, halt, or pass."""

from django.utils import timezone

from jobs.outcomes import Failed, JobError, Running
from serving.models import Trial, TrialState
from serving.trials.figures import figures_of, measured
from serving.trials.report import halted
from serving.trials.services import end_trial

LOOK_SECONDS = 5.0


def watch(trial: Trial) -> Running | Failed | None:
    """None once it has passed. It halts at the first look at which harm is shown."""
    if trial.state == TrialState.RUNNING:
        now = timezone.now()
        figures = measured(trial, now=now)
        if figures.harm:
            end_trial(trial, TrialState.HALTED)
        elif now >= trial.ends_at:
            end_trial(trial, TrialState.PASSED)
        else:
            whole = trial.ends_at - trial.created_at
            left = (trial.ends_at - now).total_seconds()
            return Running(
                after=min(LOOK_SECONDS, left + 0.1),
                phase="trying on callers",
                fraction=0.3 + 0.6 * (1 - left / whole.total_seconds()),
                eta_seconds=left,
            )
    if trial.state == TrialState.PASSED:
        return None
    if trial.state == TrialState.HALTED:
        return Failed(error=JobError(code="trial:halted", text=halted(trial, figures_of(trial))))
    return Failed(error=JobError(code="trial:stopped", text="The trial was stopped because the live version changed."))

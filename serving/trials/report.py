"""What a trial shows, in words and rows for its page."""

from dataclasses import dataclass
from math import log

from django.utils import timezone

from lorakit.stats.evidence import DECISIVE
from serving.models import Trial, TrialState
from serving.trials.figures import Figures, figures_of


@dataclass(frozen=True, kw_only=True)
class Row:
    """One version's side; shares are in 0..1, None where nobody counted yet."""

    number: int
    title: str
    requests: int
    callers: int
    error_share: float | None
    slow_share: float | None


@dataclass(frozen=True, kw_only=True)
class Report:
    """Both versions' rows, and what follows from them."""

    trial: Trial
    figures: Figures
    rows: list[Row]

    @property
    def difference(self) -> str:
        """The interval of the difference, in a sentence; empty where it is not known."""
        if self.figures.difference is None:
            return ""
        low, high = (f"{100 * end:+.1f}".replace("-", "−") for end in self.figures.difference)
        versions = f"v{self.rows[1].number} less v{self.rows[0].number}"
        return f"Callers with errors, {versions}: {low} to {high} points (95% interval)."

    @property
    def evidence(self) -> list[tuple[str, float]]:
        """(measure, how far the evidence of harm has come to a halt, 0..1); each bad caller adds about as much."""
        values = [("More callers with errors", self.figures.errors)]
        if self.figures.slowness is not None:
            values.append(("Longer waits", self.figures.slowness))
        return [(name, min(1.0, log(max(value, 1.0)) / log(DECISIVE))) for name, value in values]

    @property
    def waits(self) -> bool:
        """Whether no caller of one version counts yet."""
        return self.trial.state == TrialState.RUNNING and not all(row.callers for row in self.rows)

    @property
    def seconds_left(self) -> float:
        """Until it ends, if nothing halts it."""
        return max(0.0, (self.trial.ends_at - timezone.now()).total_seconds())

    @property
    def fraction(self) -> float:
        """Of its time that is over, 0..1."""
        return 1 - self.seconds_left / (self.trial.ends_at - self.trial.created_at).total_seconds()

    @property
    def sentence(self) -> str:
        """How it ended, or what is known so far."""
        trial, (live, candidate) = self.trial, self.rows
        if trial.state == TrialState.HALTED:
            return halted(trial, self.figures)
        if trial.state == TrialState.STOPPED:
            return f"The trial was stopped. v{live.number} answered everyone from then on."
        if trial.state == TrialState.PASSED:
            after = f"v{candidate.number} went live" if trial.is_canary else "nothing was switched"
            found = "no harm was found" if candidate.callers else f"too few asked v{candidate.number} to tell anything"
            return f"The trial ran to its end, and {found}. Then {after}."
        if self.figures.is_safe:
            return f"Shown so far: callers of v{candidate.number} have errors less than twice as often."
        return "No harm has been found so far."


def report_of(trial: Trial) -> Report:
    """The report of this moment, or of a trial's end."""
    figures = figures_of(trial)
    sides = ((trial.live, "live", figures.live), (trial.candidate, "on trial", figures.candidate))
    return Report(
        trial=trial,
        figures=figures,
        rows=[
            Row(
                number=deployment.version.number,
                title=title,
                requests=arm.requests,
                callers=arm.callers,
                error_share=arm.error_share,
                slow_share=arm.slow_share,
            )
            for deployment, title, arm in sides
        ],
    )


def halted(trial: Trial, figures: Figures) -> str:
    """Why a trial halted, for people."""
    text = f"Callers who were answered by v{trial.candidate.version.number} {figures.harm or 'fared worse'}"
    live, candidate = figures.live, figures.candidate
    if figures.harm == "waited longer":
        shares = (candidate.slow_share, live.slow_share)
    else:
        shares = (candidate.error_share, live.error_share)
    if None not in shares:
        text += f" ({shares[0]:.1%} against {shares[1]:.1%})"
    return f"{text}, so the trial was halted. v{trial.live.version.number} answers everyone again."

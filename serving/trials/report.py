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
        values = [] if self.trial.is_shadow else [("More callers with errors", self.figures.errors)]
        if self.figures.slowness is not None:
            values.append(("Longer waits", self.figures.slowness))
        if self.figures.quality is not None:
            values.append(("Worse answers", self.figures.quality.evidence))
        return [(name, min(1.0, log(max(value, 1.0)) / log(DECISIVE))) for name, value in values]

    @property
    def compared(self) -> str:
        """What judges found, in a sentence; empty where nobody compares."""
        quality = self.figures.quality
        if quality is None:
            return ""
        if not quality.judged:
            return f"No answers have been compared yet. {quality.why}".strip()
        text = (
            f"Of {quality.judged:,} compared answers, those of v{self.rows[1].number} are better {quality.wins:,} "
            f"times, worse {quality.losses:,} times, and neither {quality.ties:,} times."
        )
        if quality.low is None or quality.high is None:
            return text
        return f"{text} It wins {quality.low:.0%} to {quality.high:.0%} (95% interval, a tie is half a win)."

    @property
    def waits(self) -> bool:
        """Whether no caller of one version counts yet."""
        if self.trial.is_shadow:
            return False
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
            if trial.is_shadow:
                return f"The shadow ran to its end. Nobody saw an answer of v{candidate.number}."
            after = f"v{candidate.number} went live" if trial.is_canary else "nothing was switched"
            found = "no harm was found" if candidate.callers else f"too few asked v{candidate.number} to tell anything"
            return f"The trial ran to its end, and {found}. Then {after}."
        if self.figures.is_safe:
            return f"Shown so far: callers of v{candidate.number} have errors less than twice as often."
        if trial.is_shadow:
            return f"v{candidate.number} answers copies of requests, and nobody sees what."
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
    number = trial.candidate.version.number
    who = f"With v{number}, callers would have" if trial.is_shadow else f"Callers who were answered by v{number}"
    text = f"{who} {figures.harm or 'fared worse'}"
    text += f" ({_how_much(figures)})" if figures.harm else ""
    then = "" if trial.is_shadow else f" v{trial.live.version.number} answers everyone again."
    return f"{text}, so the trial was halted.{then}"


def _how_much(figures: Figures) -> str:
    live, candidate = figures.live, figures.candidate
    if figures.harm == "got worse answers" and figures.quality is not None:
        found = figures.quality
        return f"{found.losses:,} of {found.judged:,} compared answers are worse, {found.wins:,} better"
    if figures.harm == "waited longer":
        return f"{candidate.slow_share or 0:.1%} of requests were slow, against {live.slow_share or 0:.1%}"
    return f"{candidate.error_share or 0:.1%} against {live.error_share or 0:.1%}"

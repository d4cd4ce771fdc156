"""A version beside what would have needed no training, on the same rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from evaluations.models import ALTERNATIVES, EvaluationRun, ModelKind
from evaluations.runs.contenders import BASE
from evaluations.runs.need.likeness import Likeness, likeness_in
from evaluations.runs.need.places import Place, places_won
from evaluations.runs.report import difference_of
from evaluations.runs.stages.held_out import ALL
from evaluations.runs.stages.scoring import RIGHT, TEXTS
from lorakit.stats.clusters import FEWEST_CLUSTERS

HARDLY_ANY = 0.05
AS_GOOD = 0.05
"""Two models that differ by less, whatever the truth within the interval, count as equally good."""

ANSWERED_BY_THE_SITE = (ModelKind.LOOK_UP, ModelKind.CLASSIFIER)
"""The site's worker gives their answers itself. The price of the evaluation's machine is not the price of its time."""

Verdict = Literal["needed", "not needed", "as good", "unclear", "too few"]


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One alternative, or the version itself, with means per answer.

    `difference` is the version's score minus this one's, as a summary has it; None for the version itself and where
    there are too few rows. `won` are the values of a column where most of the rows lie that the version wins.
    """

    key: str
    name: str
    likeness: str
    training_rows: int
    left_out: int
    score: float
    facts: Mapping[str, Any]
    difference: Mapping[str, Any] | None
    won: Place | None
    usd_per_hour: Decimal | None

    @property
    def usd_of_1000(self) -> float | None:
        """What the time of a thousand answers costs on the evaluation's machine; None where either is not known, and
        of what did not run there."""
        seconds = self.facts.get("seconds")
        if seconds is None or self.usd_per_hour is None:
            return None
        return 1000 * float(seconds) / 3600 * float(self.usd_per_hour)

    @property
    def verdict(self) -> str:
        """Whether the version is `better`, `worse`, `unclear` or `too few` against it."""
        return self.difference["verdict"] if self.difference else "too few"

    @property
    def tokens(self) -> float:
        """Input and output tokens of an answer."""
        return (self.facts.get("prompt_tokens") or 0) + (self.facts.get("tokens") or 0)

    @property
    def is_as_good(self) -> bool:
        """Whether the whole interval of the difference is too narrow to matter."""
        found = self.difference
        return found is not None and max(abs(found["low"]), abs(found["high"])) <= AS_GOOD


@dataclass(frozen=True, kw_only=True)
class Need:
    """Whether training was needed: what decides it is how the version compares with the alternative `decisive`.

    `likeness` is None where it is not known how similar the rows are to the training rows.
    """

    metric: str
    rows: int
    verdict: Verdict
    own: Compared
    decisive: Compared
    alternatives: list[Compared]
    likeness: Likeness | None


def need_of(run: EvaluationRun) -> Need | None:
    """None of an evaluation that is not ready or has no alternatives."""
    total = run.summary.get(ALL)
    if total is None or not any(key in ALTERNATIVES for key in total["figures"]):
        return None
    metric = _metric(total, run.own_key)
    models = {model.key: model for model in run.models.all()}
    found = {}
    for key, model in models.items():
        score = total["figures"].get(key, {}).get(metric)
        if score is None or not (key in ALTERNATIVES or key in (BASE, run.own_key)):
            continue
        found[key] = Compared(
            key=key,
            name=model.name,
            likeness=model.facts.get("likeness", ""),
            training_rows=model.facts.get("rows", 0),
            left_out=model.facts.get("left_out", 0),
            score=score,
            facts=total["models"][key],
            difference=difference_of(total, metric, run.own_key, key),
            won=places_won(run.summary, run.own_key, key) if metric == RIGHT else None,
            usd_per_hour=None if key in ANSWERED_BY_THE_SITE else run.job.usd_per_hour,
        )
    own = found.pop(run.own_key, None)
    if own is None or not found:
        return None
    verdict, decisive = _verdict(list(found.values()))
    return Need(
        metric=metric,
        rows=total["rows"],
        verdict=verdict,
        own=own,
        decisive=decisive,
        alternatives=list(found.values()),
        likeness=likeness_in(total, metric, own=run.own_key, decisive=decisive.key),
    )


def _metric(total: Mapping[str, Any], own: str) -> str:
    figures = total["figures"]
    exact = [figures[key].get(RIGHT) or 0.0 for key in figures if key in ALTERNATIVES or key == own]
    has_texts = figures.get(own, {}).get(TEXTS) is not None
    return TEXTS if max(exact) < HARDLY_ANY and has_texts else RIGHT


def _verdict(alternatives: list[Compared]) -> tuple[Verdict, Compared]:
    """The verdict and the alternative that it rests on: the best one that the version does not beat, else the best."""
    losing = [one for one in alternatives if one.verdict == "worse"]
    if losing:
        return "not needed", _best(losing)
    open_ones = [one for one in alternatives if one.verdict != "better"]
    if not open_ones:
        return "needed", _best(alternatives)
    as_good = [one for one in open_ones if one.is_as_good]
    if as_good:
        return "as good", _best(as_good)
    best = _best(open_ones)
    is_few = best.difference is None or best.difference["units"] < FEWEST_CLUSTERS
    return ("too few" if is_few else "unclear"), best


def _best(alternatives: list[Compared]) -> Compared:
    """Of equally good ones the one that takes the fewest tokens, then the least time."""
    return min(alternatives, key=lambda one: (-one.score, one.tokens, one.facts.get("seconds") or 0.0))

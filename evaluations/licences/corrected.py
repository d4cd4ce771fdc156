"""A judge's mean of each model, corrected by the answers that experts graded."""

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from django.core.cache import cache

from evaluations.agreement.labels import labels_of
from evaluations.judging.aligned import example_rows
from evaluations.licences.findings import HIGHEST, LOWEST, half
from evaluations.licences.queries import licence_of
from evaluations.models import Grade, Judging, Licence, LicenceState, ReviewRound
from evaluations.reviews.queries import evidence_stamp
from lorakit.stats.prediction_powered import PoweredMean, prediction_powered_mean
from lorakit.stats.transport import MOST_OUTSIDE, outside_labelled

KEPT = 7 * 24 * 3600
SHAPE = 2
"""Raise it when what is kept changes."""


@dataclass(frozen=True, kw_only=True)
class Corrected:
    """One model's mean grade, 1 to 5: the judge's own, and what experts would have given.

    `powered` is None with fewer than three labels of the model, or no other rows; then `why` says so in words, as where
    its grades lie `outside` those that experts have graded.
    """

    key: str
    name: str
    judged: float
    labels: int
    powered: PoweredMean | None
    why: str = ""

    @property
    def saved(self) -> int:
        """Share of labels that the judge saved, in percent, as measured."""
        return round(100 * self.powered.saved) if self.powered else 0


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A judging with its licence and the corrected means of models whose answers experts graded, in order."""

    judging: Judging
    licence: Licence | None
    means: list[Corrected]

    @property
    def labels(self) -> int:
        return sum(one.labels for one in self.means)

    @property
    def sentence(self) -> str:
        """What to think of its numbers."""
        if self.licence is not None and self.licence.state == LicenceState.LICENSED:
            return f"Licensed judge, corrected by {self.labels} experts’ grade{'' if self.labels == 1 else 's'}."
        why = self.licence.reason if self.licence else "It has not been compared with experts yet."
        return f"Not licensed. {why}"


def standing_of(judging: Judging) -> Standing:
    """Worked out anew when experts grade; between grades the means, which take every grade, come from the cache."""
    stamp = evidence_stamp(list(ReviewRound.objects.filter(run=judging.run_id).order_by("number")))
    kept: _Kept | None = cache.get(_key(judging))
    if kept is None or kept.stamp != stamp:
        kept = _Kept(stamp=stamp, means=_means(judging))
        cache.set(_key(judging), kept, KEPT)
    return Standing(judging=judging, licence=licence_of(judging), means=kept.means)


def known_means(judging: Judging) -> dict[str, float]:
    """{model's key: corrected mean} as last worked out, for pages that cannot wait; empty where it cannot be said."""
    kept: _Kept | None = cache.get(_key(judging))
    return {one.key: one.powered.mean for one in kept.means if one.powered and not one.why} if kept else {}


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """`stamp` is of the reviews that the means rest on."""

    stamp: str
    means: list[Corrected]


def _key(judging: Judging) -> str:
    return f"corrected:{SHAPE}:{judging.id}"


def _means(judging: Judging) -> list[Corrected]:
    """In a number of queries that does not depend on rows or models. Reads no grades of models without labels.

    Rows that the judge was shown do not count.
    """
    labels = labels_of([judging], judging.rubric_version_id, since=None)
    by_model: dict[str, dict[UUID, float]] = defaultdict(dict)
    for label in labels:
        if label.answer is not None:
            by_model[label.model][label.answer] = label.grade
    models = [model for model in judging.run.models.all() if model.sha256 in by_model]
    scores: dict[UUID, dict[UUID, float]] = defaultdict(dict)
    shown = example_rows(judging.judges)
    grades = Grade.objects.filter(judging=judging, answer__model__in=models).exclude(
        answer__item__prompt_sha256__in=shown
    )
    for model_id, answer, score in grades.values_list("answer__model", "answer", "score").iterator():
        scores[model_id][answer] = score
    return [
        _corrected(model.key, model.name, scores[model.id], by_model[model.sha256])
        for model in models
        if scores[model.id]
    ]


def _corrected(key: str, name: str, scores: dict[UUID, float], labels: dict[UUID, float]) -> Corrected:
    both = [answer for answer in labels if answer in scores]
    others = [score for answer, score in scores.items() if answer not in labels]
    mean = sum(scores.values()) / len(scores)
    found = Corrected(key=key, name=name, judged=mean, labels=len(both), powered=None)
    if len(both) < 3 or len(others) < 2:
        return found
    powered = prediction_powered_mean(
        [labels[answer] for answer in both], [scores[answer] for answer in both], others, low=LOWEST, high=HIGHEST
    )
    outside = outside_labelled([half(score) for score in scores.values()], [half(scores[one]) for one in both])
    why = f"{outside:.0%} of its grades lie beyond those that experts have graded" if outside > MOST_OUTSIDE else ""
    return Corrected(key=key, name=name, judged=mean, labels=len(both), powered=powered, why=why)

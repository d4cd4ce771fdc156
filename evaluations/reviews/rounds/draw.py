"""Which rows of an evaluation experts see, and in which order. Pure.

Uniform rows come first: these alone decide and audit, so the sooner they are graded, the sooner there is a decision.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from statistics import fmean
from uuid import UUID

from evaluations.models import ItemPart
from lorakit.stats.sampling import cell_errors, drawn, probabilities, random_keys

Cell = tuple[int, bool]
"""A judge's grade, rounded, and whether judge, jury and metrics disagree."""

NO_GRADE = 0
DISAGREEMENT = 0.5
"""From which difference on judge and metrics, both on 0 to 1, disagree."""

JURY_SPREAD = 1.0
LONG = 2.0
"""So many times as long as the expected answer, an answer may impress a judge by its length."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What is known of a candidate's answer: `judged` is 1 to 5, `metric` 0 to 1, `spread` the jury's in grades."""

    item: UUID
    cluster: str
    judged: float | None
    metric: float | None
    spread: float
    length: int
    expected_length: int

    @property
    def disagreement(self) -> float:
        if self.judged is None or self.metric is None:
            return 0.0
        return abs((self.judged - 1) / 4 - self.metric)

    @property
    def cell(self) -> Cell:
        grade = NO_GRADE if self.judged is None else round(self.judged)
        return grade, self.disagreement >= DISAGREEMENT or self.spread >= JURY_SPREAD

    @property
    def deceit(self) -> float:
        """How likely a judge is fooled here: 0 where nothing says so."""
        praise = 0.0
        if self.judged is not None and self.metric is not None:
            praise = max((self.judged - 1) / 4 - self.metric, 0.0)
        ratio = self.length / max(self.expected_length, 1)
        return praise + (min(log2(ratio) / 4, 1.0) if ratio >= LONG else 0.0) + self.spread / 4


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Of the answers of a round: `uniform` at random, `adversarial` where a judge is easily fooled, else targeted."""

    uniform: float = 0.5
    adversarial: float = 0.1


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A row of a round; `probability` is that of being in it at random, None if it was chosen otherwise."""

    item: UUID
    part: ItemPart
    probability: float | None


def draw(
    rows: Sequence[Row], *, labels: int, shares: Shares, seed: str, errors: Mapping[Cell, Sequence[float]]
) -> list[Drawn]:
    """About `labels` rows, in the order in which their grades count.

    Uniform: clusters (the same prompt) in random order, one random row of each. Targeted: each row by itself, more
    probably where the judge errs; `errors` are expert less judge by cell, of earlier reviews. Without any, cells where
    judge, jury and metrics disagree count as those. Adversarial: the most suspicious of the rest.
    """
    labels = min(labels, len(rows))
    wanted_adversarial = round(labels * shares.adversarial)
    clusters: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        clusters.setdefault(row.cluster or str(row.item), []).append(place)
    wanted_uniform = min(round(labels * shares.uniform), len(clusters))
    wanted_targeted = labels - wanted_adversarial - wanted_uniform

    keys = random_keys([str(row.item) for row in rows], seed=f"{seed}:rows")
    cluster_keys = dict(zip(clusters, random_keys(list(clusters), seed=f"{seed}:clusters"), strict=True))
    first = sorted(clusters, key=cluster_keys.__getitem__)[:wanted_uniform]
    uniform = [min(clusters[cluster], key=keys.__getitem__) for cluster in first]

    uniform_chance = wanted_uniform / len(clusters) if clusters else 0.0
    by_row = {place: uniform_chance / len(places) for places in clusters.values() for place in places}
    targeted_chances = _targeted_chances(rows, errors, wanted_targeted)
    targeted_keys = random_keys([str(row.item) for row in rows], seed=f"{seed}:targeted")
    taken = set(uniform)
    targeted = [place for place in drawn(targeted_keys, targeted_chances) if place not in taken]
    taken |= set(targeted)
    suspicious = sorted(
        (place for place in range(len(rows)) if place not in taken and rows[place].deceit > 0),
        key=lambda place: (-rows[place].deceit, keys[place]),
    )[:wanted_adversarial]

    def found(places: Sequence[int], part: ItemPart) -> list[Drawn]:
        # Both draws are independent, so a row is in the round unless neither took it.
        return [
            Drawn(
                item=rows[place].item,
                part=part,
                probability=None
                if part == ItemPart.ADVERSARIAL
                else 1 - (1 - by_row[place]) * (1 - targeted_chances[place]),
            )
            for place in places
        ]

    rest = [*found(targeted, ItemPart.TARGETED), *found(suspicious, ItemPart.ADVERSARIAL)]
    mixed = dict(zip((one.item for one in rest), random_keys([str(one.item) for one in rest], seed=seed), strict=True))
    return [*found(uniform, ItemPart.UNIFORM), *sorted(rest, key=lambda one: mixed[one.item])]


def _targeted_chances(rows: Sequence[Row], errors: Mapping[Cell, Sequence[float]], labels: int) -> list[float]:
    if labels <= 0:
        return [0.0] * len(rows)
    cells = [row.cell for row in rows]
    known = cell_errors(errors)
    if not any(errors.values()):
        doubts: dict[Cell, list[float]] = {}
        for row in rows:
            doubts.setdefault(row.cell, []).append(row.disagreement + row.spread / 4)
        known = {cell: fmean(values) for cell, values in doubts.items()}
    return probabilities(cells, known, labels=labels)

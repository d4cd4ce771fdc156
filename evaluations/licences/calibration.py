"""The judge's map to experts' grades, its audit on fresh rows, and whether it still fits. Pure.

Labels come in the order in which they count. The first ones, `Terms.labels` of them, make the map; those after them are
probes, which the map has not seen. The audit looks at the probes when there are 20, 40, 80 and so on. The first look
that passes ends it: all labels up to there are the baseline, the map is made anew of them, and each later label is
tested for drift. The first map's own error would be taken for drift: in simulations it doubled false alarms.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import sqrt
from statistics import fmean, stdev
from typing import Any

import numpy as np

from evaluations.agreement.labels import Label
from evaluations.licences.terms import FIRST_LOOK, Terms
from lorakit.stats.drift import alarm_at, cusum, evidence_of_change
from lorakit.stats.evidence import DECISIVE
from lorakit.stats.isotonic import Map, isotonic_map
from lorakit.stats.transport import Audit, Transport, transport_audit

FOLDS = 10
DRIFT = 0.5
WITHIN = 50
"""What the page says about drift: how likely one of half a grade is found within so many reviews."""

SIMULATIONS = 400


@dataclass(frozen=True, kw_only=True)
class Drift:
    """Of labels since the baseline. `sums` is the cumulative sum after each one; `found` the first above the alarm.

    `changed` is a base model whose answers the judge grades otherwise than the baseline's, and `evidence` the
    e-value for it: 20 or more. `power` is the chance to find a drift of half a grade within 50 labels.
    """

    alarm_at: float
    sums: tuple[float, ...]
    found: int | None
    power: float
    evidence: float | None = None
    changed: str = ""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """`probes` are the labels after those of the map, `looked` how many of them the last audit had.

    `next_look` is how many probes the next one needs; None once it has passed. `by_model` are audits of each model's
    probes, held for all of them at once.
    """

    map: Map
    probes: int
    audit: Audit | None = None
    looked: int = 0
    next_look: int | None = FIRST_LOOK
    by_model: tuple[tuple[str, Audit], ...] = ()
    baseline: tuple[float, ...] = ()
    drift: Drift | None = None

    @property
    def failed_models(self) -> list[str]:
        return [model for model, audit in self.by_model if audit.verdict is Transport.FAIL]


def calibrated(labels: Sequence[Label], terms: Terms, *, seed: str) -> Calibration | None:
    """None with fewer labels than the map needs. `seed` fixes the alarm, which is found by simulation."""
    if len(labels) < terms.labels:
        return None
    first, probes = labels[: terms.labels], labels[terms.labels :]
    map_ = _map(first)
    residuals = [label.grade - map_(label.score) for label in probes]
    found = Calibration(map=map_, probes=len(probes))
    look = FIRST_LOOK
    while look <= len(probes):
        audit = _audit(probes[:look], residuals[:look], terms.margin)
        if audit is not None and audit.verdict is Transport.PASS:
            base = [*first, *probes[:look]]
            baseline, last = tuple(crossed_residuals(base)), _map(base)
            later = [label.grade - last(label.score) for label in probes[look:]]
            return Calibration(
                map=last,
                probes=len(probes),
                audit=audit,
                looked=look,
                next_look=None,
                by_model=_by_model(probes, residuals, terms.margin),
                baseline=baseline,
                drift=_drift(probes[look:], later, baseline, seed=seed, bases={label.base for label in base}),
            )
        found = Calibration(
            map=map_,
            probes=len(probes),
            audit=audit,
            looked=look,
            next_look=2 * look,
            by_model=_by_model(probes, residuals, terms.margin),
        )
        look *= 2
    return found


def crossed_residuals(labels: Sequence[Label]) -> list[float]:
    """Each by a map of the labels outside its tenth: a map fits the labels that it is made of too well."""
    folds = [number % FOLDS for number in range(len(labels))]
    maps = {fold: _map([label for label, of in zip(labels, folds, strict=True) if of != fold]) for fold in set(folds)}
    return [label.grade - maps[fold](label.score) for label, fold in zip(labels, folds, strict=True)]


def carried_over(labels: Sequence[Label], map_: dict[str, Any], residuals: Sequence[float]) -> float | None:
    """E-value that the map of an earlier judge or rubric no longer fits these labels; None if there is none to try."""
    if not labels or not map_ or not residuals:
        return None
    old = Map(tuple(map_["scores"]), tuple(map_["grades"]))
    return evidence_of_change([label.grade - old(label.score) for label in labels], baseline=fmean(residuals))


def _map(labels: Sequence[Label]) -> Map:
    return isotonic_map([label.score for label in labels], [label.grade for label in labels])


def _audit(probes: Sequence[Label], residuals: Sequence[float], margin: float | None, models: int = 1) -> Audit | None:
    """None for rows of a single prompt."""
    clusters = [label.cluster for label in probes]
    if len(set(clusters)) < 2:
        return None
    return transport_audit(residuals, clusters, margin=margin, models=models)


def _by_model(
    probes: Sequence[Label], residuals: Sequence[float], margin: float | None
) -> tuple[tuple[str, Audit], ...]:
    """Only worth stating where experts graded answers of several."""
    grouped: dict[str, list[int]] = defaultdict(list)
    for place, label in enumerate(probes):
        grouped[label.model].append(place)
    if len(grouped) < 2:
        return ()
    found = []
    for model, places in grouped.items():
        of_model = [probes[place] for place in places]
        audit = _audit(of_model, [residuals[place] for place in places], margin, models=len(grouped))
        if audit is not None:
            found.append((model, audit))
    return tuple(found)


def spread_by(count: int) -> float:
    """How much wider than found the baseline's residuals are taken to be: one standard error of their deviation.

    A judge passes the audit the sooner the smaller its residuals happen to be.
    """
    return 1 + 1 / sqrt(2 * count)


def _drift(
    later: Sequence[Label], residuals: Sequence[float], baseline: Sequence[float], *, seed: str, bases: set[str]
) -> Drift:
    """`later` are the labels since the baseline, `bases` the base models in it."""
    number = int.from_bytes(sha256(seed.encode()).digest()[:8])
    centre = fmean(baseline)
    limit = alarm_at([centre + spread_by(len(baseline)) * (one - centre) for one in baseline], seed=number)
    sums = cusum(residuals, baseline=centre)
    since: dict[str, list[float]] = defaultdict(list)
    for label, residual in zip(later, residuals, strict=True):
        if label.base and label.base not in bases:
            since[label.base].append(residual)
    worth = {base: evidence_of_change(found, baseline=centre) for base, found in since.items()}
    changed = max(worth, key=lambda base: worth[base], default="")
    return Drift(
        alarm_at=limit,
        sums=tuple(sums),
        found=next((place for place, total in enumerate(sums, 1) if total > limit), None),
        power=power(baseline, limit, seed=number),
        evidence=worth.get(changed),
        changed=changed if worth.get(changed, 0.0) >= DECISIVE else "",
    )


def power(baseline: Sequence[float], limit: float, *, seed: int) -> float:
    """Chance that a drift of half a grade passes `limit` within 50 labels, from the residuals of the baseline."""
    random, values = np.random.default_rng(seed), np.asarray(baseline, dtype=float)
    centre = float(values.mean())
    means = random.choice(values, size=(SIMULATIONS, len(values))).mean(axis=1) - centre
    courses = random.choice(values, size=(SIMULATIONS, WITHIN)) - centre
    # The drift may be either way; with the baseline's own error, the ways differ.
    signs = np.where(np.arange(SIMULATIONS) % 2 == 0, 1.0, -1.0)[:, None]
    total = np.zeros((SIMULATIONS, 2))
    found = np.zeros(SIMULATIONS, dtype=bool)
    drifted = courses + signs * DRIFT - means[:, None]
    for review in range(WITHIN):
        step = drifted[:, review]
        total[:, 0] = np.maximum(0.0, total[:, 0] + step - DRIFT / 2)
        total[:, 1] = np.maximum(0.0, total[:, 1] - step - DRIFT / 2)
        found |= total.max(axis=1) > limit
    return float(found.mean())


def deviation(residuals: Sequence[float]) -> float | None:
    return stdev(residuals) if len(residuals) > 1 else None

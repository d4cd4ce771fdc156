"""How a version does on rows that are less or more like those that it was trained on, beside repeating them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from evaluations.models import ModelKind
from evaluations.runs.contenders import BASE
from evaluations.runs.report import difference_of
from lorakit.stats.clusters import FEWEST_CLUSTERS

REPEATS = ModelKind.LOOK_UP
"""What does nothing but repeat the training rows."""

Found = Mapping[str, Any] | None
Conclusion = Literal[
    "learnt", "more than repeats", "base too", "base better", "repeating is better", "unclear", "too few"
]


@dataclass(frozen=True, kw_only=True)
class Part:
    """Rows whose similarity to the nearest training row is `low` to `high`, with the models' means by key.

    `intervals` are the 95% intervals of exact match, of the models where it is known.
    """

    low: float
    high: float
    rows: int
    scores: dict[str, float]
    intervals: dict[str, tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Same:
    """Rows that mean nearly the same as a training row, `of` those that were compared.

    `without` are the models' means on the `others`, all rows but these, by key; empty without such rows.
    """

    at_least: float
    rows: int
    of: int
    others: int
    without: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """Rows by how similar they are to the training rows, `by` an encoder or words.

    `parts` are thirds, the least similar first; none of too few rows. `conclusion` is what those say of whether the
    version does more than repeat: `repeated` is how it differs from a look-up there, and `learnt` from the base model.
    `same` is None without an encoder.
    """

    by: str
    parts: list[Part]
    conclusion: Conclusion | None
    repeated: Found
    learnt: Found
    same: Same | None


def likeness_in(total: Mapping[str, Any], metric: str, *, own: str, decisive: str) -> Likeness | None:
    """Of an evaluation's summary of all rows; None where it has none. Models are the version and what matters to it."""
    stored = total.get("likeness")
    if stored is None:
        return None
    keys = [key for key in dict.fromkeys((own, BASE, str(REPEATS), decisive)) if key in total["figures"]]
    repeated = learnt = None
    conclusion: Conclusion | None = None
    if stored["parts"]:
        least = stored["parts"][0]
        repeated = difference_of(least, metric, own, REPEATS)
        learnt = difference_of(least, metric, own, BASE)
        conclusion = _conclusion(repeated, learnt, has_base=BASE in keys)
    return Likeness(
        by=stored["by"],
        parts=[_part(part, metric, keys) for part in stored["parts"]],
        conclusion=conclusion,
        repeated=repeated,
        learnt=learnt,
        same=_same(stored["same"], metric, keys) if stored["same"] else None,
    )


def _conclusion(repeated: Found, learnt: Found, *, has_base: bool) -> Conclusion:
    """That the version learnt something, it must beat both what repeats and the base model."""
    if repeated is None or repeated["units"] < FEWEST_CLUSTERS:
        return "too few"
    match repeated["verdict"]:
        case "worse":
            return "repeating is better"
        case "unclear":
            return "unclear"
    if not has_base:
        return "more than repeats"
    match learnt["verdict"] if learnt else "unclear":
        case "better":
            return "learnt"
        case "worse":
            return "base better"
    return "base too"


def _part(part: Mapping[str, Any], metric: str, keys: list[str]) -> Part:
    known = {key: part["intervals"].get(key) for key in keys}
    return Part(
        low=part["low"],
        high=part["high"],
        rows=part["rows"],
        scores=_scores(part, metric, keys),
        intervals={key: (found[0], found[1]) for key, found in known.items() if found},
    )


def _same(same: Mapping[str, Any], metric: str, keys: list[str]) -> Same:
    without = same["without"]
    return Same(
        at_least=same["at_least"],
        rows=same["rows"],
        of=same["of"],
        others=without["rows"],
        without=_scores(without, metric, keys) if "figures" in without else {},
    )


def _scores(part: Mapping[str, Any], metric: str, keys: list[str]) -> dict[str, float]:
    found = {key: part["figures"].get(key, {}).get(metric) for key in keys}
    return {key: score for key, score in found.items() if score is not None}

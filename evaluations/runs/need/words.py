"""Whether training was needed, in plain words."""

from collections.abc import Mapping
from typing import Any

from evaluations.models import ModelKind
from evaluations.runs.contenders import BASE
from evaluations.runs.need.compared import Compared, Need
from evaluations.runs.need.places import Place
from evaluations.runs.report import metric_title, percent
from evaluations.runs.stages.scoring import RIGHT
from lorakit.stats.clusters import FEWEST_CLUSTERS

HEADINGS = {
    "needed": "Training paid off.",
    "not needed": "An alternative without training is better.",
    "as good": "An alternative without training is as good.",
    "unclear": "Not clear yet.",
    "too few": "Too few rows to say.",
}

CALLED: Mapping[str, str] = {
    BASE: "the base model alone",
    ModelKind.FEW_SHOT: "the base model with examples in its prompt",
    ModelKind.LOOK_UP: "a look-up of the most similar training row",
    ModelKind.CLASSIFIER: "a classifier of the training rows",
}


def sentence(need: Need) -> str:
    """The verdict with its figures, and how sure it is."""
    other = need.decisive
    who, whom = need.own.name, CALLED[other.key]
    facts = f"{_capital(_scores(need, need.own, who))}, {whom} {_short(need, other)}."
    found = other.difference
    match need.verdict:
        case "needed":
            return f"{facts} This is unlikely to be chance: {points_of(need, found)} more, {SURE}."
        case "not needed":
            return f"{facts} This is unlikely to be chance: {points_of(need, found)} fewer, {SURE}."
        case "as good":
            return f"{facts} Whichever is better, the difference is at most {_most(need, found)}, {SURE}."
        case "unclear":
            why = "They may differ all the same." if other.score == need.own.score else "This may be chance."
            return f"{facts} {why} More held-out rows are needed to tell them apart."
        case "too few":
            return f"{facts} At least {FEWEST_CLUSTERS} different held-out prompts are needed to tell them apart."


SURE = "with 95% confidence"


def rows_in_words(need: Need, other: Compared) -> str:
    """On which part of the rows an alternative is as good as the version, and where the version wins.

    Empty without figures of rows.
    """
    found = other.difference
    if found is None or need.metric != RIGHT:
        return ""
    won, lost, rows = found["better"], found["worse"], found["rows"]
    same = f"It does as well or better on {percent((rows - won) / rows)} of these rows."
    if not won:
        return f"{same} {need.own.name} wins on none{_and_loses(lost, rows)}."
    where = _where(other.won)
    comma = "," if where and lost else ""
    return f"{same} {need.own.name} wins on {percent(won / rows)}{where}{comma}{_and_loses(lost, rows)}."


def _and_loses(lost: int, rows: int) -> str:
    return f" and loses on {percent(lost / rows)}" if lost else ""


def _where(place: Place | None) -> str:
    if place is None:
        return ""
    *first, last = [f"“{value}”" for value in place.values]
    values = f"{', '.join(first)} or {last}" if first else last
    return f", mostly where {place.column} is {values}"


def value(need: Need, score: float) -> str:
    """A score as pages show it."""
    return percent(score) if need.metric == RIGHT else f"{score:.2f}"


def difference(need: Need, other: Compared) -> str:
    """How much better the version is, with the interval; empty where it is not known."""
    found = other.difference
    if found is None:
        return ""
    if need.metric == RIGHT:
        mean, low, high = (f"{100 * found[name] + 0.0:+.1f}" for name in ("mean", "low", "high"))
        return f"{mean} points ({low} to {high})".replace("-", "−")
    mean, low, high = (f"{found[name] + 0.0:+.2f}" for name in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})".replace("-", "−")


def points_of(need: Need, found: Mapping[str, Any] | None) -> str:
    """The interval of a difference, without its sign: `27 to 60 points`."""
    assert found is not None  # noqa: S101 - there is no verdict without
    least, most = sorted(abs(found[end]) for end in ("low", "high"))
    if need.metric == RIGHT:
        return f"{100 * least:.0f} to {100 * most:.0f} points"
    return f"{least:.2f} to {most:.2f}"


def _scores(need: Need, one: Compared, who: str) -> str:
    if need.metric == RIGHT:
        return f"{who} gives the expected answer on {percent(one.score)} of {need.rows:,} held-out rows"
    return f"{who} reaches {metric_title(need.metric)} {one.score:.2f} on {need.rows:,} held-out rows"


def _short(need: Need, one: Compared) -> str:
    return f"on {percent(one.score)}" if need.metric == RIGHT else f"{one.score:.2f}"


def _most(need: Need, found: Mapping[str, Any] | None) -> str:
    assert found is not None  # noqa: S101 - it would not be as good without
    most = max(abs(found["low"]), abs(found["high"]))
    return f"{100 * most:.1f} points" if need.metric == RIGHT else f"{most:.2f}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:] if text.startswith("the ") else text

"""Whether a version does more than repeat its training rows, in plain words."""

from collections.abc import Mapping
from typing import Any

from evaluations.models import ModelKind
from evaluations.runs.contenders import BASE
from evaluations.runs.need.compared import Need
from evaluations.runs.need.likeness import Likeness, Same
from evaluations.runs.need.words import SURE, points_of, value
from evaluations.runs.report import metric_title
from evaluations.runs.stages.scoring import RIGHT
from lorakit.stats.clusters import FEWEST_CLUSTERS

CALLED = {BASE: "the base model alone", ModelKind.LOOK_UP: "a look-up"}
TITLES = {3: ("Least alike", "Between", "Most alike"), 2: ("Least alike", "Most alike")}
BETTER = "results look better than they are"


def part_titles(likeness: Likeness) -> tuple[str, ...]:
    """Of the parts, in their order."""
    return TITLES.get(len(likeness.parts), ())


def repeats_sentence(need: Need) -> str:
    """What the rows least like the training rows say; empty where there are too few rows."""
    likeness = need.likeness
    if likeness is None or likeness.conclusion is None:
        return ""
    least, own = likeness.parts[0], need.own
    others = [f"{CALLED[key]} {_reached(need, least.scores[key])}" for key in CALLED if key in least.scores]
    does = "gives the expected answer on" if need.metric == RIGHT else f"reaches {metric_title(need.metric)}"
    facts = (
        f"On the {least.rows:,} rows least like its training rows, {own.name} {does} "
        f"{value(need, least.scores[own.key])}, {' and '.join(others)}"
    )
    match likeness.conclusion:
        case "learnt":
            return f"{facts}: it learnt more than to repeat. {_surely(need, likeness.repeated)}"
        case "more than repeats":
            return f"{facts}: it does more than repeat. {_surely(need, likeness.repeated)}"
        case "base too":
            return f"{facts}. It does more than repeat, but what it gains on the base model there may be chance."
        case "base better":
            return f"{facts}. It does more than repeat, but the base model alone does better there."
        case "repeating is better":
            return (
                f"{facts}. Repeating the most similar training row is better there: {_range(need, likeness.repeated)}."
            )
        case "unclear":
            scores = least.scores
            is_equal = scores[own.key] == scores.get(ModelKind.LOOK_UP)
            why = "They may differ all the same." if is_equal else "This may be chance."
            return f"{facts}. {why} More held-out rows are needed to tell whether it does more than repeat."
        case "too few":
            return f"{facts}. At least {FEWEST_CLUSTERS} different prompts among them are needed to tell them apart."


def same_sentence(need: Need) -> str:
    """How many rows mean nearly the same as a training row, and the score without them; empty without any."""
    same = need.likeness.same if need.likeness else None
    if same is None or not same.rows:
        return ""
    own = need.own
    score = same.without.get(own.key)
    if score is None:
        return f"{_counted(need, same)}. No other row is left to say what {own.name} does without."
    better = f": {BETTER}" if score < own.score else ""
    does = "gives the expected answer on" if need.metric == RIGHT else f"reaches {metric_title(need.metric)}"
    return (
        f"{_counted(need, same)}{better}. Without {'it' if same.rows == 1 else 'them'}, {own.name} {does} "
        f"{value(need, score)} instead of {value(need, own.score)}."
    )


def _counted(need: Need, same: Same) -> str:
    of = f"{same.of:,} held-out rows" if same.of == need.rows else f"the {same.of:,} held-out rows compared"
    return f"{same.rows:,} of {of} {'means' if same.rows == 1 else 'mean'} nearly the same as a training row"


def _reached(need: Need, score: float) -> str:
    return f"on {value(need, score)}" if need.metric == RIGHT else value(need, score)


def _surely(need: Need, found: Mapping[str, Any] | None) -> str:
    return f"This is unlikely to be chance: {points_of(need, found)} more than a look-up, {SURE}."


def _range(need: Need, found: Mapping[str, Any] | None) -> str:
    return f"{points_of(need, found)} more, {SURE}"

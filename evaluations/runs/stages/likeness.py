"""Figures by how similar the rows are to the training rows: in thirds, and without those that mean nearly the same."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet

from evaluations.alternatives.training_rows import question_of
from evaluations.models import ALTERNATIVES, EvaluationItem, EvaluationRun
from lorakit.stats.interval import Interval

FEWEST_ROWS = 30
"""Thirds of fewer rows say nothing."""

FEWEST_IN_A_PART = 10

SAME_MEANING = 0.95
"""Cosine of two texts from which they mean nearly the same, as seen with all-MiniLM-L6-v2 (docs/evaluation.md)."""

LONGEST = 750
"""Characters of a prompt that encoders of 256 tokens read to its end; of longer ones the beginning says too little."""

FiguresOf = Callable[[list[int]], dict[str, Any]]


def likeness_of_rows(run: EvaluationRun, figures_of: FiguresOf) -> dict[str, Any] | None:
    """{by, by_meaning, parts, same} of a run's rows, None where nothing is known of how similar they are.

    `figures_of` says {figures, intervals, differences} of some places. `parts` are those of `parts_by_likeness`; `same`
    is None without an encoder.
    """
    facts = next((model.facts for model in run.models.all() if model.kind in ALTERNATIVES), None)
    items = EvaluationItem.objects.filter(run=run).order_by("position")
    stored = list(items.values_list("likeness", flat=True))
    likenesses = [likeness for likeness in stored if likeness is not None]
    if facts is None or len(likenesses) < len(stored):
        return None
    parts = [
        {"low": likenesses[places[0]], "high": likenesses[places[-1]], "rows": len(places)} | figures_of(places)
        for places in parts_by_likeness(likenesses)
    ]
    by_meaning = facts.get("by_meaning", False)
    same = _same(likenesses, _short(items), figures_of) if by_meaning else None
    return {"by": facts["likeness"], "by_meaning": by_meaning, "parts": parts, "same": same}


def parts_by_likeness(likenesses: Sequence[float]) -> list[list[int]]:
    """The places of the rows in thirds, the least alike first; equally similar rows stay together.

    Two parts where so many rows are equal that a third would have fewer than FEWEST_IN_A_PART, and none where two
    would. None for fewer than FEWEST_ROWS rows either.
    """
    rows = len(likenesses)
    if rows < FEWEST_ROWS:
        return []
    order = sorted(range(rows), key=lambda place: likenesses[place])
    cuts = [
        cut
        for cut in range(FEWEST_IN_A_PART, rows - FEWEST_IN_A_PART + 1)
        if likenesses[order[cut - 1]] < likenesses[order[cut]]
    ]
    if not cuts:
        return []
    first = min(cuts, key=lambda cut: abs(cut - rows / 3))
    later = [cut for cut in cuts if cut >= first + FEWEST_IN_A_PART]
    ends = [first, *([min(later, key=lambda cut: abs(cut - 2 * rows / 3))] if later else []), rows]
    return [order[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def ends_of(interval: Interval | None) -> list[float] | None:
    """[low, high]."""
    return None if interval is None else [interval.low, interval.high]


def _same(likenesses: Sequence[float], short: Sequence[bool], figures_of: FiguresOf) -> dict[str, Any]:
    """{at_least, rows, of, without}: how many `of` the rows compared mean the same, and all others' figures."""
    same = {
        place
        for place, (likeness, is_short) in enumerate(zip(likenesses, short, strict=True))
        if likeness == 1.0 or (is_short and likeness >= SAME_MEANING)
    }
    others = [place for place in range(len(likenesses)) if place not in same]
    compared = len(same) + sum(short[place] for place in others)
    without = {"rows": len(others)} | (figures_of(others) if same and others else {})
    return {"at_least": SAME_MEANING, "rows": len(same), "of": compared, "without": without}


def _short(items: "QuerySet[EvaluationItem]") -> list[bool]:
    return [len(question_of(messages)) <= LONGEST for messages in items.values_list("messages", flat=True).iterator()]

"""From answers to results: scores and grades per row, means per slice, and the confidence of the difference.

Pure, apart from the metrics and the judge it is given.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

from evaluations.judges.backends.base import HIGHEST, LOWEST, Judge, Judgement
from evaluations.metrics import metrics
from evaluations.metrics.base import RowMetric
from evaluations.runs.difference import difference, paired_difference
from evaluations.runs.held_out import ALL, HeldOutRow

TARGETS: tuple[Literal["base", "adapter"], ...] = ("base", "adapter")

Scores = dict[str, float | None]

# What the pages of a run have room for.
SHOWN = ("exact_match", "rouge_l", "meteor")


@dataclass(frozen=True, kw_only=True)
class ScoredRow:
    """One row with both answers; `scores` and `judgements` are by target, `uncertainty` is of the adapter's grade."""

    row: HeldOutRow
    answers: dict[str, str]
    scores: dict[str, Scores]
    judgements: dict[str, Judgement]
    uncertainty: float


def shown_metrics() -> dict[str, RowMetric]:
    """The metrics of a run, by alias."""
    found = {alias: metrics[alias] for alias in SHOWN if alias in metrics}
    return {alias: metric for alias, metric in found.items() if isinstance(metric, RowMetric)}


def score_row(row: HeldOutRow, answers: dict[str, str], *, metrics: Mapping[str, RowMetric], judge: Judge) -> ScoredRow:
    """Metrics and grades of both answers to one row."""
    scores: dict[str, Scores] = {}
    judgements: dict[str, Judgement] = {}
    for target in TARGETS:
        answer = answers[target]
        scores[target] = {alias: metric.score(row.reference, answer) for alias, metric in metrics.items()}
        judgements[target] = judge.judge(messages=row.messages, reference=row.reference, answer=answer)
    doubt = uncertainty(judgements["adapter"], scores["adapter"])
    return ScoredRow(row=row, answers=answers, scores=scores, judgements=judgements, uncertainty=doubt)


def uncertainty(judgement: Judgement, scores: Scores) -> float:
    """0..1, how useful an expert's review is: high for a low grade, or one that disagrees with the metrics."""
    judged = (judgement.score - LOWEST) / (HIGHEST - LOWEST)
    known = [score for score in scores.values() if score is not None]
    disagreement = abs(judged - fmean(known)) if known else 0.0
    return max(1.0 - judged, disagreement)


def summarise(rows: Sequence[ScoredRow]) -> dict[str, Any]:
    """{slice: {rows, base, adapter, difference}}; the slice `all` is the total. Means, the grade's from 1 to 5."""
    slices: dict[str, list[ScoredRow]] = {ALL: list(rows)}
    for row in rows:
        if row.row.slice != ALL:
            slices.setdefault(row.row.slice, []).append(row)
    return {name: _summary_of(members) for name, members in slices.items()}


def _summary_of(rows: Sequence[ScoredRow]) -> dict[str, Any]:
    summary: dict[str, Any] = {"rows": len(rows), "difference": {}}
    for target in TARGETS:
        means = {alias: _mean(row.scores[target][alias] for row in rows) for alias in rows[0].scores[target]}
        summary[target] = {**means, "judge": fmean(row.judgements[target].score for row in rows)}
    if "exact_match" in rows[0].scores["base"]:
        summary["difference"]["exact_match"] = _exact_match_difference(rows)
    return summary


def _exact_match_difference(rows: Sequence[ScoredRow]) -> dict[str, float]:
    pairs = [(row.scores["base"]["exact_match"] or 0.0, row.scores["adapter"]["exact_match"] or 0.0) for row in rows]
    found = difference(pairs, clusters=[prompt_of(row.row) for row in rows])
    if found is None:
        # A single row, or a single prompt: as far as one can go without knowing how rows of a prompt vary.
        return {**paired_difference([(base == 1.0, adapter == 1.0) for base, adapter in pairs[:1]]), "units": 1}
    return {"mean": found.mean, "low": found.low, "high": found.high, "p_value": found.p_value, "units": found.units}


def prompt_of(row: HeldOutRow) -> str:
    """What rows of the same prompt have in common."""
    return json.dumps([row.messages, row.tools], sort_keys=True) if row.messages else row.id


def _mean(scores: Iterable[float | None]) -> float | None:
    known = [score for score in scores if score is not None]
    return fmean(known) if known else None

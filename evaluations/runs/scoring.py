"""From answers to results: scores and grades per row, means per slice, and the confidence of the difference.

Pure, apart from the metrics and the judge it is given.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

from evaluations.judges.backends.base import HIGHEST, LOWEST, Judge, Judgement
from evaluations.metrics import metrics
from evaluations.metrics.base import Answers
from evaluations.metrics.suite import Scores, choose
from evaluations.runs.difference import difference, paired_difference
from evaluations.runs.held_out import ALL, HeldOutRow

TARGETS: tuple[Literal["base", "adapter"], ...] = ("base", "adapter")

SHOWN = ("exact_match", "rouge_l", "meteor")
"""The metrics that pages of a run have room for; REST has them all."""


@dataclass(frozen=True, kw_only=True)
class ScoredRow:
    """One row with both answers; `scores` and `judgements` are by target, `uncertainty` is of the adapter's grade."""

    row: HeldOutRow
    answers: dict[str, str]
    scores: dict[str, Scores]
    judgements: dict[str, Judgement]
    uncertainty: float


def score_rows(
    rows: Sequence[HeldOutRow],
    answers: Mapping[str, Mapping[str, str]],
    *,
    judge: Judge,
    chosen: Collection[str] | None = None,
) -> list[ScoredRow]:
    """Metrics and grades of both answers to each row; `answers` is {row id: {target: text}}.

    `chosen` are aliases of metrics, by default all; of these, the ones that apply to these rows.
    """
    columns: dict[str, list[Scores]] = {}
    for target in TARGETS:
        given = Answers([row.reference for row in rows], [answers[row.id][target] for row in rows])
        columns[target] = choose(metrics, given, chosen=chosen).rows(given)
    scored = []
    for place, row in enumerate(rows):
        texts: dict[str, str] = {target: answers[row.id][target] for target in TARGETS}
        scores: dict[str, Scores] = {target: columns[target][place] for target in TARGETS}
        judgements: dict[str, Judgement] = {
            target: judge.judge(messages=row.messages, reference=row.reference, answer=texts[target])
            for target in TARGETS
        }
        doubt = uncertainty(judgements["adapter"], scores["adapter"])
        scored.append(ScoredRow(row=row, answers=texts, scores=scores, judgements=judgements, uncertainty=doubt))
    return scored


def uncertainty(judgement: Judgement, scores: Scores) -> float:
    """0..1, how useful an expert's review is: high for a low grade, or one that disagrees with the metrics
    on the page.
    """
    judged = (judgement.score - LOWEST) / (HIGHEST - LOWEST)
    known = [score for alias in SHOWN if (score := scores.get(alias)) is not None]
    disagreement = abs(judged - fmean(known)) if known else 0.0
    return max(1.0 - judged, disagreement)


def summarise(rows: Sequence[ScoredRow], *, chosen: Collection[str] | None = None) -> dict[str, Any]:
    """{slice: {rows, base, adapter, difference, unavailable}}; the slice `all` is the total.

    `base` and `adapter` are {metric: figure}, the judge's from 1 to 5; `unavailable` is {metric: reason}.
    """
    slices: dict[str, list[ScoredRow]] = {ALL: list(rows)}
    for row in rows:
        if row.row.slice != ALL:
            slices.setdefault(row.row.slice, []).append(row)
    return {name: _summary_of(members, chosen) for name, members in slices.items()}


def _summary_of(rows: Sequence[ScoredRow], chosen: Collection[str] | None) -> dict[str, Any]:
    summary: dict[str, Any] = {"rows": len(rows), "difference": {}}
    for target in TARGETS:
        answers = Answers([row.row.reference for row in rows], [row.answers[target] for row in rows])
        suite = choose(metrics, answers, chosen=chosen)
        # Pages show a metric without a figure as "n/a".
        missing = {alias: None for alias in SHOWN if alias in suite.unavailable}
        grade = fmean(row.judgements[target].score for row in rows)
        summary[target] = {**missing, **suite.values(answers), "judge": grade}
        summary["unavailable"] = suite.unavailable
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

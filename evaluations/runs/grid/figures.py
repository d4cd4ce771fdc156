"""The figures of an evaluation beyond its head: slices, pairs of models, distributions, calibration, confusion."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evaluations.metrics import metrics
from evaluations.metrics.base import Answers
from evaluations.models import Answer, EvaluatedModel, EvaluationRun
from evaluations.runs.grid.address import sortable
from evaluations.runs.grid.charts import colours_of, distribution_figure, metrics_figure, reliability_figure
from evaluations.runs.grid.columns import MARK, column_title, columns_with_figures, value_title
from evaluations.runs.grid.grid import Grid
from evaluations.runs.queries import Reliability, expert_view, histograms, reliability_of
from evaluations.runs.report import column_reports, difference_between, metric_title, reports
from evaluations.runs.stages.held_out import ALL
from evaluations.runs.stages.scoring import RIGHT
from evaluations.runs.stages.shapes import CONFUSION, labels_answered

DISTRIBUTED = "rouge_l"
"""The metric whose scores are drawn as a distribution unless another is chosen."""

WORDS = {"better": "Better", "worse": "Worse", "unclear": "May be chance", "too few": "Too few prompts"}


@dataclass(frozen=True, kw_only=True)
class Pair:
    """How a model's exact match differs from another's, in points; `word` says whether that is real."""

    points: str
    interval: str
    word: str
    verdict: str


def figures_of(grid: Grid, metric: str, by: str) -> dict[str, Any]:
    """What the page of figures shows: the distribution of `metric`, and the values of the column `by`."""
    run = grid.run
    known = sortable(run)
    chosen = next((alias for alias in (metric, DISTRIBUTED, *known) if alias in known), "")
    names = {model.key: model.name for model in grid.models}
    bins = _reliability(grid)
    total = run.summary[ALL]
    return {
        "slices": reports(run, grid.own.key, grid.other.key if grid.other else ""),
        **_columns(grid, by),
        "matrix": matrix_of(run, grid.models),
        "metric": chosen,
        "metric_title": metric_title(chosen),
        "metric_choices": [(alias, metric_title(alias)) for alias in known],
        "distribution": _distribution(grid, chosen) if chosen else None,
        "means": metrics_figure(run.summary, names),
        "reliability": reliability_figure(bins, colours=colours_of([*names.values()])) if bins else None,
        "calibration": [(names[key], value) for key in names if (value := _calibration(total, key)) is not None],
        "confusion": confusion_of(grid),
        "unavailable": [(metric_title(alias), reason) for alias, reason in sorted(total["unavailable"].items())],
        "experts": expert_view(run),
    }


def _columns(grid: Grid, by: str) -> dict[str, Any]:
    """The reports of one column with figures, by default the first, with what a link to its rows says."""
    columns = columns_with_figures(grid.run)
    chosen = by if by in columns else next(iter(columns), "")
    return {
        "by": chosen,
        "by_choices": [(name, column_title(name)) for name in columns],
        "by_column": [
            (value_title(chosen, one.name), f"{chosen}{MARK}{one.name}", one)
            for one in column_reports(grid.run, chosen, grid.own.key, grid.other.key if grid.other else grid.own.key)
        ],
    }


def _distribution(grid: Grid, alias: str) -> dict[str, Any]:
    models = [model for model in (grid.other, grid.own) if model is not None]
    low, high = metrics[alias].lowest, metrics[alias].highest
    stored = [_shapes(grid, model).get("histograms", {}).get(alias) for model in models]
    counts = (
        {model.name: column for model, column in zip(models, stored, strict=True)}
        if all(stored)
        else histograms(models, alias, low=low, high=high)
    )
    colours = colours_of([model.name for model in grid.models])
    return distribution_figure(counts, alias, colours=colours, low=low, high=high)


def _shapes(grid: Grid, model: EvaluatedModel) -> dict[str, Any]:
    """What was stored of a model with its scores; evaluations from before that have nothing."""
    found: dict[str, Any] = grid.run.summary[ALL].get("models", {}).get(model.key, {})
    return found


def _reliability(grid: Grid) -> dict[str, list[Reliability]]:
    if any("reliability" not in _shapes(grid, model) for model in grid.models):
        return reliability_of(grid.models)
    return {
        model.name: [
            Reliability(rows=rows, confidence=confidence, accuracy=accuracy) for rows, confidence, accuracy in parts
        ]
        for model in grid.models
        if (parts := _shapes(grid, model)["reliability"])
    }


def matrix_of(run: EvaluationRun, models: Sequence[EvaluatedModel]) -> list[tuple[EvaluatedModel, list[Pair | None]]]:
    """Each model with its difference from each of them, in order; None from itself and where it is not known."""
    total = run.summary[ALL]
    return [(model, [_pair(total, model.key, other.key) for other in models]) for model in models]


def _pair(total: dict[str, Any], model: str, against: str) -> Pair | None:
    found = difference_between(total, RIGHT, model, against) if model != against else None
    if found is None:
        return None
    return Pair(
        points=_points(found["mean"]),
        interval=f"{_points(found['low'])} to {_points(found['high'])}",
        word=WORDS[found["verdict"]],
        verdict=found["verdict"],
    )


def _points(share: float) -> str:
    # Adding zero turns -0.0 into 0.0.
    return f"{round(100 * share, 1) + 0.0:+.1f}".replace("-", "−")


def _calibration(total: dict[str, Any], key: str) -> float | None:
    value: float | None = total["figures"][key].get("calibration_error")
    return value


def confusion_of(grid: Grid) -> dict[str, Any] | None:
    """The labels that the chosen model answered by the labels expected; None where answers are no labels."""
    figures = grid.run.summary[ALL]["figures"].get(grid.own.key, {})
    if figures.get(CONFUSION) is None:
        return None
    details = _shapes(grid, grid.own).get("confusion")
    if details is None:
        rows = Answer.objects.filter(model=grid.own).order_by("item__position").values_list("item__reference", "text")
        details = labels_answered(Answers(*map(list, zip(*rows, strict=True))))
    if not details:
        return None
    labels = details["labels"][:-1]
    return {
        "columns": details["labels"],
        "rows": [
            (label, [(count, place == own) for place, count in enumerate(row)], details["per_label"][label])
            for own, (label, row) in enumerate(zip(labels, details["matrix"], strict=True))
        ],
    }

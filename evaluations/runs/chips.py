"""The head of a grid: each model with its score, how sure that is, and what its answers take."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Avg, Count, Q

from adapters.versions.notes import Note, notes_of
from evaluations.models import Answer, EvaluatedModel, EvaluationRun
from evaluations.runs.grid import Grid
from evaluations.runs.held_out import ALL
from evaluations.runs.report import percent
from evaluations.runs.scoring import RIGHT
from lorakit.stats import clopper_pearson_interval, cluster_interval
from lorakit.stats.interval import Interval


@dataclass(frozen=True, kw_only=True)
class Chip:
    """One model as text. `exact` and `interval` are empty before its answers are scored, others where not known.

    `tokens` and `seconds` are means per answer. `part` is `own` or `other` of the two models that are compared.
    """

    model: EvaluatedModel
    answered: int
    wrong: int
    exact: str
    interval: str
    judge: str
    tokens: str
    seconds: str
    badges: list[Note]
    part: str


def chips_of(grid: Grid) -> list[Chip]:
    """A chip for each model of the evaluation, in order."""
    run, models = grid.run, grid.models
    totals = {
        model_id: rest
        for model_id, *rest in Answer.objects.filter(model__in=models)
        .order_by()
        .values_list("model")
        .annotate(
            answered=Count("item"),
            right=Count("item", filter=Q(is_right=True)),
            wrong=Count("item", filter=Q(is_right=False)),
            tokens=Avg("completion_tokens"),
            time=Avg("seconds"),
        )
    }
    judging = run.last_judging
    grades = judging.summary.get(ALL, {}).get("figures", {}) if judging and run.summary else {}
    figures = run.summary[ALL]["figures"] if run.summary else {}
    versions = [model.version for model in models if model.version is not None]
    badges = notes_of(versions)
    repeated = _with_repeated_prompts(run, models) if repeats_prompts(run) else None
    chips = []
    for model in models:
        answered, right, wrong, tokens, seconds = totals.get(model.id, (0, 0, 0, None, None))
        score, grade = figures.get(model.key, {}).get(RIGHT), grades.get(model.key)
        interval = None
        if score is not None and right + wrong:
            interval = repeated.get(model.id) if repeated else clopper_pearson_interval(right, right + wrong)
        live = [note for note in badges.get(model.version_id, []) if note.state] if model.version_id else []
        chips.append(
            Chip(
                model=model,
                answered=answered,
                wrong=wrong,
                exact=percent(score) if score is not None else "",
                interval=f"{100 * interval.low:.0f} to {100 * interval.high:.0f}%" if interval else "",
                judge=f"{grade:.1f}" if grade is not None else "",
                tokens=f"{tokens:,.0f}" if tokens is not None else "",
                seconds=f"{seconds:.2g} s" if seconds is not None else "",
                badges=live,
                part="own" if model == grid.own else "other" if model == grid.other else "",
            )
        )
    return chips


def repeats_prompts(run: EvaluationRun) -> bool:
    """Whether rows of the evaluation repeat a prompt, so that they are not independent."""
    if not run.summary:
        return False
    differences = [one for one in run.summary[ALL]["differences"] if one["metric"] == RIGHT]
    if differences:
        return any(one["units"] < one["rows"] for one in differences)
    prompts = run.items.values("prompt_sha256").distinct().count()
    return bool(prompts < run.items.count())


def _with_repeated_prompts(run: EvaluationRun, models: Sequence[EvaluatedModel]) -> dict[UUID, Interval]:
    """The interval of each model's exact match over prompts instead of rows; none with fewer than two prompts."""
    sums: dict[UUID, list[int]] = defaultdict(list)
    sizes: dict[UUID, list[int]] = defaultdict(list)
    clusters = (
        Answer.objects.filter(model__in=models, is_right__isnull=False)
        .order_by()
        .values_list("model", "item__prompt_sha256")
        .annotate(right=Count("item", filter=Q(is_right=True)), rows=Count("*"))
    )
    for model_id, _, right, rows in clusters:
        sums[model_id].append(right)
        sizes[model_id].append(rows)
    return {
        model_id: cluster_interval(sums[model_id], sizes[model_id], low=0.0, high=1.0).interval()
        for model_id in sums
        if len(sums[model_id]) > 1
    }

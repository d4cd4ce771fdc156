"""The head of a grid: each model with its score, how sure that is, and what its answers take."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapters.versions.notes import Note, badges_of
from evaluations.models import Answer, EvaluatedModel, EvaluationRun
from evaluations.runs.grid.grid import Grid
from evaluations.runs.judgings.expert_means import expert_means
from evaluations.runs.report import percent
from evaluations.runs.stages.facts import facts_of
from evaluations.runs.stages.held_out import ALL
from evaluations.runs.stages.scoring import RIGHT


@dataclass(frozen=True, kw_only=True)
class Chip:
    """One model as text. `exact` and `interval` are empty before its answers are scored, others where not known.

    `experts` is the mean grade that they would have given; `tokens` and `seconds` are means per answer. `part` is `own`
    or `other` of the two models that are compared.
    """

    model: EvaluatedModel
    answered: int
    failed: int
    wrong: int
    exact: str
    interval: str
    judge: str
    experts: str
    tokens: str
    seconds: str
    badges: list[Note]
    part: str


def chips_of(grid: Grid) -> list[Chip]:
    """A chip for each model that the grid shows, in the evaluation's order."""
    run, models = grid.run, [model for model in grid.models if model in grid.columns]
    facts = _facts(run, models)
    judging = run.last_judging
    grades = judging.summary.get(ALL, {}).get("figures", {}) if judging and run.summary else {}
    by_experts = expert_means(judging) if grades else {}
    figures = run.summary[ALL]["figures"] if run.summary else {}
    versions = [model.version for model in models if model.version is not None]
    badges = badges_of(versions)
    chips = []
    for model in models:
        fact, score, grade = facts[model.key], figures.get(model.key, {}).get(RIGHT), grades.get(model.key)
        has_interval = score is not None and fact["low"] is not None
        chips.append(
            Chip(
                model=model,
                answered=fact["answered"],
                failed=fact.get("failed", 0),
                wrong=fact["wrong"],
                exact=percent(score) if score is not None else "",
                interval=f"{100 * fact['low']:.0f} to {100 * fact['high']:.0f}%" if has_interval else "",
                judge=f"{grade:.1f}" if grade is not None else "",
                experts=by_experts.get(model.key, "") if grade is not None else "",
                tokens=f"{fact['tokens']:,.0f}" if fact["tokens"] is not None else "",
                seconds=_seconds(fact["seconds"]) if fact["seconds"] is not None else "",
                badges=badges.get(model.version_id, []) if model.version_id else [],
                part="own" if model == grid.own else "other" if model == grid.other else "",
            )
        )
    return chips


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:,.1f} s"


def _facts(run: EvaluationRun, models: Sequence[EvaluatedModel]) -> dict[str, dict[str, Any]]:
    """`facts_of` each model by key: as stored with the scores, before them only what is answered."""
    if not run.summary:
        nothing = facts_of([], [])
        return {model.key: nothing | {"answered": Answer.objects.filter(model=model).count()} for model in models}
    stored: dict[str, dict[str, Any]] | None = run.summary[ALL].get("models")
    if stored is not None:
        return stored
    # Of an evaluation from before they were stored.
    found = {}
    for model in models:
        answers = Answer.objects.filter(model=model).order_by("id")
        prompts = answers.values_list("item__prompt_sha256", flat=True)
        found[model.key] = facts_of(list(answers), list(prompts))
    return found

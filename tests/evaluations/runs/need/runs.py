"""Evaluations as far as it is read of them whether training was needed, from which rows models have right."""

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from evaluations.metrics.base import Answers
from evaluations.models import EvaluatedModel, EvaluationRun, ModelKind
from evaluations.runs.stages.likeness import parts_by_likeness
from evaluations.runs.stages.scoring import Rows, closer_part_of, score, summarise

KINDS = {
    "base": ModelKind.BASE,
    "few_shot": ModelKind.FEW_SHOT,
    "look_up": ModelKind.LOOK_UP,
    "classifier": ModelKind.CLASSIFIER,
}


class Models(list[EvaluatedModel]):
    def all(self) -> "Models":
        return self


class Run:
    """What is read of an evaluation."""

    def __init__(self, summary: dict[str, Any], models: Models) -> None:
        self.summary, self.models, self.own_key = summary, models, "v2"
        self.job = SimpleNamespace(usd_per_hour=Decimal("0.9000"))


def run_of(
    right: Mapping[str, Sequence[bool]],
    *,
    slices: Sequence[str] = (),
    texts: bool = False,
    likenesses: Sequence[float] = (),
    same: Collection[int] | None = None,
) -> EvaluationRun:
    """An evaluation of models that give the expected answer or not, by row.

    `likenesses` are those of the rows, and `same` the places that mean nearly the same as a training row.
    """
    count = len(right["v2"])
    references = [f"the long answer of row number {place}" for place in range(count)]
    rows = Rows(references=references, slices=slices or ["all"] * count, prompts=[str(place) for place in range(count)])
    scored = {}
    for key, passes in right.items():
        given = [
            (f"{reference}, nearly" if texts else reference) if is_right else "nothing like it"
            for reference, is_right in zip(references, passes, strict=True)
        ]
        scored[key] = score(rows, Answers(references, given))
    apart = {key for key in right if key in ("few_shot", "look_up", "classifier")}
    summary = summarise(rows, scored, about="v2", apart=apart)
    summary["all"]["models"] = {key: {"prompt_tokens": 9.0, "tokens": 3.0, "seconds": 0.5} for key in right}
    if "look_up" in right:
        summary["all"]["models"]["look_up"] = {"prompt_tokens": 0.0, "tokens": 0.0, "seconds": 0.0004}
    if likenesses:

        def figures_of(places: Sequence[int]) -> dict[str, Any]:
            return {"rows": len(places)} | closer_part_of(places, rows, scored, about="v2", apart=apart)

        summary["all"]["likeness"] = {
            "by": "minilm",
            "by_meaning": same is not None,
            "parts": [
                {"low": likenesses[places[0]], "high": likenesses[places[-1]]} | figures_of(places)
                for places in parts_by_likeness(likenesses)
            ],
            "same": None if same is None else _same(same, count, figures_of),
        }
    models = Models(
        EvaluatedModel(
            tenant_id=uuid4(),
            key=key,
            name=key,
            kind=KINDS.get(key, ModelKind.VERSION),
            facts={"likeness": "words", "rows": 30},
        )
        for key in right
    )
    return Run(summary, models)  # type: ignore[return-value]


def passes(right: int, of: int) -> list[bool]:
    return [place < right for place in range(of)]


def _same(same: Collection[int], count: int, figures_of: Callable[[Sequence[int]], dict[str, Any]]) -> dict[str, Any]:
    others = [place for place in range(count) if place not in same]
    without = figures_of(others) if same and others else {"rows": len(others)}
    return {"at_least": 0.95, "rows": len(same), "of": count, "without": without}

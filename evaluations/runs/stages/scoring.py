"""The stage that scores: metrics of every answer, figures of every slice, and how sure the differences are."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from statistics import fmean
from typing import Any

from django.db import transaction

from evaluations.metrics import metrics
from evaluations.metrics.base import Answers
from evaluations.metrics.suite import Scores, Suite, choose
from evaluations.models import Answer, EvaluationRun
from evaluations.runs.stages.answers import BATCH
from evaluations.runs.stages.columns import by_column
from evaluations.runs.stages.facts import facts_of, interval_of
from evaluations.runs.stages.held_out import ALL
from evaluations.runs.stages.likeness import ends_of, likeness_of_rows
from evaluations.runs.stages.shapes import shapes_of
from lorakit.stats.difference import Difference, at_once, difference

SHOWN = ("exact_match", "rouge_l", "meteor")
"""The metrics that pages of a run have room for; REST has them all."""

RIGHT = "exact_match"
"""The metric that says whether an answer is right."""

TEXTS = "rouge_l"
"""The metric that counts where hardly any answer is exactly the expected one, as of long texts."""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What the rows of a run have in common for all its models, by place: reference, slice, and the prompt's hash."""

    references: Sequence[str]
    slices: Sequence[str]
    prompts: Sequence[str]

    def by_slice(self) -> dict[str, list[int]]:
        """{slice: places}, the total first."""
        places: dict[str, list[int]] = {ALL: list(range(len(self.references)))}
        for place, name in enumerate(self.slices):
            if name != ALL:
                places.setdefault(name, []).append(place)
        return places


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One model's answers, scored: `rows` by place, `suites` by slice."""

    answers: Answers
    rows: list[Scores]
    suites: dict[str, Suite]
    figures: dict[str, Scores]


def score(rows: Rows, answers: Answers, *, chosen: Collection[str] | None = None) -> Scored:
    """Score one model's answers. `chosen` are aliases of metrics, by default all; of these, the ones that apply."""
    whole = choose(metrics, answers, chosen=chosen)
    suites, figures = {}, {}
    for name, places in rows.by_slice().items():
        part = answers if name == ALL else answers.part(places)
        suites[name] = whole if name == ALL else choose(metrics, part, chosen=chosen)
        # Pages show a metric without a figure as "n/a".
        missing = {alias: None for alias in SHOWN if alias in suites[name].unavailable}
        figures[name] = {**missing, **suites[name].values(part)}
    return Scored(answers=answers, rows=whole.rows(answers), suites=suites, figures=figures)


def summarise(rows: Rows, scored: Mapping[str, Scored], *, about: str, apart: Collection[str] = ()) -> dict[str, Any]:
    """{slice: {rows, figures: {model: {metric: figure}}, differences: [...], unavailable: {metric: reason}}}.

    Differences are those of the model `about` from each other in every metric, and of the others in exact match; in
    slices only in exact match. Models that are `apart` change nothing that is said of the others.
    """
    summary: dict[str, Any] = {}
    for name, places in rows.by_slice().items():
        aliases = {alias for one in scored.values() for alias in one.rows[0]} if name == ALL else {RIGHT}
        summary[name] = {
            "rows": len(places),
            "figures": {key: one.figures[name] for key, one in scored.items()},
            "differences": [
                entry
                for alias in metrics
                if alias in aliases
                for entry in differences(
                    {key: [one.rows[place].get(alias) for place in places] for key, one in scored.items()},
                    prompts=[rows.prompts[place] for place in places],
                    metric=alias,
                    about=about,
                    apart=apart,
                    lowest=metrics[alias].lowest,
                    highest=metrics[alias].highest,
                )
            ],
            "unavailable": {
                alias: reason
                for key, one in scored.items()
                if key not in apart
                for alias, reason in one.suites[name].unavailable.items()
            },
        }
    return summary


def part_of(
    places: Sequence[int], rows: Rows, scored: Mapping[str, Scored], *, about: str, apart: Collection[str] = ()
) -> dict[str, Any]:
    """{figures, differences} of some rows: in the metrics that pages show, and of `about` in exact match."""

    def mean(one: Scored, alias: str) -> float | None:
        known = [score for place in places if (score := one.rows[place].get(alias)) is not None]
        return fmean(known) if known else None

    right = {key: [one.rows[place].get(RIGHT) for place in places] for key, one in scored.items()}
    prompts = [rows.prompts[place] for place in places]
    return {
        "figures": {key: {alias: mean(one, alias) for alias in SHOWN} for key, one in scored.items()},
        "differences": differences(right, prompts=prompts, metric=RIGHT, about=about, apart=apart, among_others=False),
    }


def closer_part_of(
    places: Sequence[int], rows: Rows, scored: Mapping[str, Scored], *, about: str, apart: Collection[str] = ()
) -> dict[str, Any]:
    """`part_of` with differences in TEXTS too, and {model: [low, high]}, the 95% intervals of exact match."""
    found = part_of(places, rows, scored, about=about, apart=apart)
    prompts = [rows.prompts[place] for place in places]
    texts = {key: [one.rows[place].get(TEXTS) for place in places] for key, one in scored.items()}
    found["differences"] += differences(texts, prompts=prompts, metric=TEXTS, about=about, apart=apart)
    found["intervals"] = {
        key: ends_of(interval_of([_is_right(one.rows[place]) for place in places], prompts))
        for key, one in scored.items()
    }
    return found


def _is_right(scores: Scores) -> bool | None:
    score = scores.get(RIGHT)
    return None if score is None else score == 1.0


def differences(
    columns: Mapping[str, Sequence[float | None]],
    *,
    prompts: Sequence[str],
    metric: str,
    about: str,
    apart: Collection[str] = (),
    lowest: float = 0.0,
    highest: float = 1.0,
    reach: float | None = None,
    among_others: bool = True,
) -> list[dict[str, Any]]:
    """How the models' scores in one metric differ over the same rows: [{metric, model, against, mean, better, ...}].

    The differences of the model `about` from the others are corrected for being made at once, those from models that
    are `apart` by themselves, so that the others' do not depend on them. Those among the others are left out, except in
    exact match if `among_others`.
    """
    others = [key for key in columns if key != about]

    def compare(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Difference]:
        found = {
            pair: _difference(columns[pair[1]], columns[pair[0]], prompts, lowest, highest, reach) for pair in pairs
        }
        return {pair: one for pair, one in found.items() if one is not None}

    entries: dict[tuple[str, str], Difference] = {}
    for family in ([key for key in others if key not in apart], [key for key in others if key in apart]):
        own = compare((about, other) for other in family)
        entries |= zip(own, at_once(list(own.values())), strict=True)
    if metric == RIGHT and among_others:
        entries |= compare((later, earlier) for earlier, later in combinations(others, 2))
    return [
        {
            "metric": metric,
            "model": model,
            "against": against,
            **asdict(one),
            "verdict": one.verdict,
            **_changed(columns[against], columns[model]),
        }
        for (model, against), one in entries.items()
    ]


def _changed(before: Sequence[float | None], after: Sequence[float | None]) -> dict[str, int]:
    """Rows with a higher and a lower score."""
    pairs = [
        (first, second) for first, second in zip(before, after, strict=True) if first is not None and second is not None
    ]
    return {
        "better": sum(second > first for first, second in pairs),
        "worse": sum(second < first for first, second in pairs),
    }


def _difference(
    first_scores: Sequence[float | None],
    second_scores: Sequence[float | None],
    prompts: Sequence[str],
    lowest: float,
    highest: float,
    reach: float | None,
) -> Difference | None:
    pairs, clusters = [], []
    for first, second, prompt in zip(first_scores, second_scores, prompts, strict=True):
        if first is not None and second is not None:
            pairs.append((first, second))
            clusters.append(prompt)
    return difference(pairs, lowest=lowest, highest=highest, reach=reach, clusters=clusters)


def score_run(run: EvaluationRun) -> dict[str, Any]:
    """Score all answers of a run, store the scores and return the summary. May run again."""
    items = list(run.items.values_list("id", "reference", "slice", "prompt_sha256", "metadata"))
    places = {item_id: place for place, (item_id, *_) in enumerate(items)}
    rows = Rows(
        references=[reference for _, reference, *_ in items],
        slices=[name for _, _, name, *_ in items],
        prompts=[prompt for _, _, _, prompt, _ in items],
    )
    scored: dict[str, Scored] = {}
    facts: dict[str, dict[str, Any]] = {}
    models = list(run.models.all())
    for model in models:
        found = sorted(Answer.objects.filter(model=model), key=lambda answer: places[answer.item_id])
        given = Answers(rows.references, [one.text for one in found], [one.log_probability for one in found])
        scored[model.key] = score(rows, given)
        _store(found, scored[model.key].rows)
        facts[model.key] = {**facts_of(found, rows.prompts), **shapes_of(given, scored[model.key].rows)}
    about, apart = run.own_key, {model.key for model in models if model.is_alternative}
    summary = summarise(rows, scored, about=about, apart=apart)
    summary[ALL]["models"] = facts
    metadata = [kept for *_, kept in items]
    summary[ALL]["columns"] = by_column(
        metadata, lambda places: part_of(places, rows, scored, about=about, apart=apart)
    )
    likeness = likeness_of_rows(run, lambda places: closer_part_of(places, rows, scored, about=about, apart=apart))
    if likeness is not None:
        summary[ALL]["likeness"] = likeness
    return summary


def _store(answers: Sequence[Answer], rows: Iterable[Scores]) -> None:
    for answer, scores in zip(answers, rows, strict=True):
        answer.scores, answer.is_right = scores, scores.get(RIGHT) == 1.0
    with transaction.atomic():
        Answer.objects.bulk_create(
            answers,
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["tenant", "item", "model"],
            update_fields=["scores", "is_right"],
        )

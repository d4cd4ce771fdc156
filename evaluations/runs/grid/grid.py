"""The rows of an evaluation as its grid shows them: filtered, ordered, counted, and one after the other."""

from dataclasses import dataclass
from functools import cached_property
from json import dumps
from math import log
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import (
    Avg,
    Case,
    Exists,
    F,
    FilteredRelation,
    FloatField,
    Func,
    OuterRef,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from evaluations.models import Answer, EvaluatedModel, EvaluationItem, EvaluationRun, Grade, Review
from evaluations.runs.grades import reviews_of, seen_by
from evaluations.runs.grid.address import Wanted
from evaluations.runs.grid.columns import columns_of, condition_of
from evaluations.runs.report import difference_of
from evaluations.runs.stages.grading import GRADE
from evaluations.runs.stages.held_out import ALL
from evaluations.runs.stages.scoring import RIGHT
from tenants.models import User

DISPUTED = 2.0
"""So many grades apart, judge and experts differ."""

UNSURE = log(0.5)
"""Below this log-probability of the whole answer, the model's confidence is low."""

Rows = QuerySet[EvaluationItem]


class Contents(Func):
    """The texts of chat messages, as JSON."""

    template = "jsonb_path_query_array(%(expressions)s, '$[*].content')::text"
    output_field = TextField()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How many rows each of two models has right: both or neither (`same`), or one of them."""

    better: int
    worse: int
    same: int


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """A row's place among the rows shown, from 1, and the positions beside it; `number` is 0 if it is not shown."""

    number: int
    total: int
    previous: int | None
    next: int | None


class Grid:
    """An evaluation's rows as `wanted` by an address; `viewer` is None for a program without a person."""

    def __init__(self, run: EvaluationRun, wanted: Wanted, viewer: User | None) -> None:
        self.run, self.wanted, self.viewer = run, wanted, viewer
        self.models: list[EvaluatedModel] = list(run.models.all())
        by_key = {model.key: model for model in self.models}
        self.about = next((model for model in self.models if model.key == run.own_key), self.models[-1])
        self.own = by_key.get(wanted.model, self.about)
        others = [model for model in self.models if model != self.own and not model.is_alternative]
        self.usual_other: EvaluatedModel | None = others[0] if others else None
        other = by_key.get(wanted.against)
        self.other = self.usual_other if other is None or other == self.own else other

    @cached_property
    def conditions(self) -> dict[str, str]:
        """The values that rows must have, by column."""
        columns = columns_of(self.run)
        return dict(found for where in self.wanted.where if (found := condition_of(where, columns)))

    @property
    def columns(self) -> list[EvaluatedModel]:
        """The models that are shown beside each other, the two that are compared first.

        Alternatives to training are among them where the address names them.
        """
        return [model for model in self.ordered_models if not model.is_alternative or self._is_named(model)]

    @property
    def ordered_models(self) -> list[EvaluatedModel]:
        """All models, the two that are compared first."""
        pair = [model for model in (self.other, self.own) if model is not None]
        return [*pair, *(model for model in self.models if model not in pair)]

    def _is_named(self, model: EvaluatedModel) -> bool:
        return model in (self.own, self.other) or model.key in self.wanted.wrong

    @cached_property
    def outcome(self) -> Outcome | None:
        """None before answers are scored, and without a model to compare with."""
        if self.other is None or not self.run.summary:
            return None
        better, worse = self._stored_changes() or [self._changed(right).count() for right in (True, False)]
        return Outcome(better=better, worse=worse, same=self.run.summary[ALL]["rows"] - better - worse)

    @property
    def usual_sort(self) -> str:
        """Rows that got worse come first if there are any."""
        return "worse" if self.outcome is not None and self.outcome.worse else "position"

    @property
    def sort(self) -> str:
        return self.wanted.sort or self.usual_sort

    @property
    def is_by_likeness(self) -> bool:
        """Whether rows are in the order of how similar they are to the training rows."""
        return self.sort.removeprefix("-") == "likeness"

    @property
    def reviews(self) -> QuerySet[Review]:
        """What experts said of the answers of all models."""
        return reviews_of(self.run)

    @cached_property
    def reviews_seen(self) -> QuerySet[Review]:
        """Those whose value the viewer may know."""
        return seen_by(self.run, self.viewer)

    @cached_property
    def rows(self) -> Rows:
        """The rows shown, in no order."""
        rows = EvaluationItem.objects.filter(run=self.run)
        wanted = self.wanted
        if not self.run.summary:
            # While it runs, rows are shown as they are answered.
            rows = rows.filter(Exists(Answer.objects.filter(item=OuterRef("pk"))))
        if wanted.slice:
            rows = rows.filter(slice=wanted.slice)
        if self.conditions:
            rows = rows.filter(metadata__contains=self.conditions)
        if wanted.length:
            rows = self._of_length(rows, wanted.length)
        for name in wanted.show:
            rows = self._shown(rows, name)
        for model in self.models:
            if model.key in wanted.wrong:
                rows = rows.filter(pk__in=_answered(model, right=False))
        if wanted.q:
            rows = rows.alias(contents=Contents("messages")).filter(self._found(wanted.q))
        return rows

    @property
    def pages(self) -> Paginator:  # type: ignore[type-arg]
        """The rows' IDs in the order wanted, by page."""
        ids = self.ordered.values_list("id", flat=True)
        if self.wanted.q:
            # A search reads every text, so that is done once, and counts and pages go by what was found.
            return Paginator(list(ids), self.wanted.size)
        pages = Paginator(ids, self.wanted.size)
        pages.count = self.rows.count()
        return pages

    @property
    def ordered(self) -> Rows:
        """The rows shown, in the order wanted. A row without a value for it comes last."""
        name, descending = self.sort.removeprefix("-"), self.sort.startswith("-")
        rows = self.rows
        if name == "worse" and self.other is not None:
            worse = When(pk__in=self._changed(False).values("item"), then=Value(0))
            return rows.order_by(Case(worse, default=Value(1)), "position")
        if name == "uncertain":
            return rows.order_by("-uncertainty", "position")
        if name == "length":
            return rows.order_by(f"{'-' if descending else ''}prompt_length", "position")
        if name == "likeness":
            likeness = F("likeness")
            order = likeness.desc(nulls_last=True) if descending else likeness.asc(nulls_last=True)
            return rows.order_by(order, "position")
        if name in ("position", "worse"):
            return rows.order_by("position")
        rows = rows.annotate(own=FilteredRelation("answers", condition=Q(answers__model=self.own)))
        if name == GRADE:
            judging = self.run.last_judging
            condition = Q(own__grades__judging=judging.id if judging else None)
            value = F("judged__score")
            rows = rows.annotate(judged=FilteredRelation("own__grades", condition=condition))
        else:
            rows = rows.annotate(value=Cast(KeyTextTransform(name, "own__scores"), FloatField()))
            value = F("value")
        return rows.order_by(value.desc(nulls_last=True) if descending else value.asc(nulls_last=True), "position")

    def neighbours(self, position: int) -> Neighbours:
        """What stands before and after a row."""
        positions = list(self.ordered.values_list("position", flat=True))
        place = positions.index(position) if position in positions else None
        if place is None:
            return Neighbours(number=0, total=len(positions), previous=None, next=None)
        return Neighbours(
            number=place + 1,
            total=len(positions),
            previous=positions[place - 1] if place else None,
            next=positions[place + 1] if place + 1 < len(positions) else None,
        )

    def _stored_changes(self) -> list[int] | None:
        """(better, worse) as counted when the answers were scored; None of runs from before that."""
        assert self.other is not None  # noqa: S101
        total, own, other = self.run.summary[ALL], self.own.key, self.other.key
        found = difference_of(total, RIGHT, own, other)
        if found is not None and "better" in found:
            return [found["better"], found["worse"]]
        # Pairs are stored one way round.
        found = difference_of(total, RIGHT, other, own)
        return [found["worse"], found["better"]] if found is not None and "better" in found else None

    def _changed(self, right: bool) -> QuerySet[Answer]:
        """Answers of the model that are right (or wrong) where the other is not."""
        assert self.other is not None  # noqa: S101
        own = Answer.objects.filter(model=self.own, is_right=right)
        return own.filter(item__in=_answered(self.other, right=not right))

    def _of_length(self, rows: Rows, third: str) -> Rows:
        by_length = EvaluationItem.objects.filter(run=self.run).order_by("prompt_length")
        lengths = by_length.values_list("prompt_length", flat=True)
        count = by_length.count()
        if not count:
            return rows
        short, middle = lengths[(count - 1) // 3], lengths[2 * (count - 1) // 3]
        if third == "short":
            return rows.filter(prompt_length__lte=short)
        if third == "middle":
            return rows.filter(prompt_length__gt=short, prompt_length__lte=middle)
        return rows.filter(prompt_length__gt=middle)

    def _found(self, text: str) -> Q:
        """Where a text is in the prompt, the expected answer or an answer, whatever its case."""
        answers = Answer.objects.filter(model__in=self.models, text__icontains=text)
        # Quotes and line breaks are escaped in JSON.
        in_prompt = Q(contents__icontains=dumps(text, ensure_ascii=False)[1:-1])
        return in_prompt | Q(reference__icontains=text) | Q(pk__in=answers.values("item"))

    def _shown(self, rows: Rows, name: str) -> Rows:
        """The rows of one of `address.SHOWS`; all where it does not apply."""
        match name:
            case "worse" | "better" if self.other is not None:
                return rows.filter(pk__in=self._changed(name == "better").values("item"))
            case "differs" if self.other is not None:
                same = Answer.objects.filter(model=self.other, item=OuterRef("item"), text=OuterRef("text"))
                return rows.filter(pk__in=Answer.objects.filter(~Exists(same), model=self.own).values("item"))
            case "unsure":
                unsure = Answer.objects.filter(model=self.own, log_probability__lt=UNSURE)
                return rows.filter(pk__in=unsure.values("item"))
            case "graded":
                return rows.filter(pk__in=self.reviews.values("round_item__item"))
            case "commented":
                return rows.filter(pk__in=self.reviews.exclude(comment="").values("round_item__item"))
            case "disputed":
                return rows.filter(pk__in=self._disputed())
        return rows

    def _disputed(self) -> list[UUID]:
        graded = self.reviews_seen.filter(grade__isnull=False)
        experts = dict(graded.order_by().values_list("round_item__answer").annotate(Avg("grade")))
        grades = Grade.objects.filter(judging=self.run.last_judging, answer__in=list(experts))
        return [
            item_id
            for item_id, answer_id, score in grades.values_list("answer__item", "answer", "score")
            if abs(score - experts[answer_id]) >= DISPUTED
        ]


def _answered(model: EvaluatedModel, *, right: bool) -> QuerySet[Answer, Any]:
    return Answer.objects.filter(model=model, is_right=right).values("item")

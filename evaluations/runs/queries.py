"""Reads of evaluations, for the active tenant."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.core.cache import cache
from django.db.models import (
    Avg,
    Count,
    Exists,
    F,
    FloatField,
    Func,
    IntegerField,
    Max,
    OuterRef,
    Prefetch,
    QuerySet,
    Value,
)
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Exp, Floor, Least, Round

from adapters.models import AdapterVersion
from corpora.versions.caveats import Caveat, leaks_of
from evaluations.judges.backends.base import Message
from evaluations.models import (
    Answer,
    EvaluatedModel,
    EvaluationItem,
    EvaluationRun,
    EvaluationState,
    Grade,
    Judging,
    ModelKind,
    Review,
)
from evaluations.runs.need.same import same_meaning

LARGE = ("version__manifest", "dataset_version__problems", "job__spec", "job__result")
"""Fields that no page of an evaluation shows."""

BINS = 20
CONFIDENCE_BINS = 10

KEPT = 24 * 3600

MOST_READ = 100
"""Rows in which to look for plain ones."""


def runs() -> QuerySet[EvaluationRun]:
    """Evaluations, newest first, with what lists show."""
    return _runs().prefetch_related("judgings", "models").defer(*LARGE, "dataset_version__profile")


def runs_with_findings() -> QuerySet[EvaluationRun]:
    """Evaluations, newest first, also with their models and what the check of their dataset version found."""
    models = EvaluatedModel.objects.select_related("version").defer("version__manifest")
    return _runs().prefetch_related("judgings__rubric_version__rubric", Prefetch("models", models)).defer(*LARGE)


def _runs() -> QuerySet[EvaluationRun]:
    related = ("version__adapter__base_model", "base_model", "dataset_version__dataset", "job")
    return EvaluationRun.objects.select_related(*related)


def ready_runs() -> QuerySet[EvaluationRun]:
    """Evaluations that have figures and can be reviewed, newest first; without their judgings."""
    return _runs().defer(*LARGE, "dataset_version__profile").filter(state=EvaluationState.READY)


def latest_ready_runs(count: int) -> list[EvaluationRun]:
    """The newest evaluations that have figures. They are chosen before anything is joined to them."""
    newest = EvaluationRun.objects.filter(state=EvaluationState.READY).values_list("id", flat=True)[:count]
    return list(runs().filter(id__in=list(newest)))


def latest_ready(version: AdapterVersion) -> EvaluationRun | None:
    """The newest evaluation of this version that has figures, with what its data's check found."""
    return _runs().defer(*LARGE).filter(state=EvaluationState.READY, version=version).first()


def leaks_in(run: EvaluationRun) -> list[Caveat]:
    """Leaks for which scores look better than they are: none without a version, since nothing was trained then.

    Those that the check of the dataset version found come last.
    """
    return [*same_meaning(run), *leaks_of(run.dataset_version)] if run.version is not None else []


def known_answers(version: AdapterVersion, limit: int) -> list[tuple[list[Message], str]]:
    """(prompt, the adapter's greedy answer), at most `limit`, from the latest ready evaluation.

    They show whether an endpoint serves exactly these weights, so answers that differ from the base come first. Prompts
    with tools are left out, for an endpoint would be asked something else.
    """
    run = latest_ready(version)
    if run is None:
        return []
    as_base = Answer.objects.filter(item=OuterRef("item"), model__kind=ModelKind.BASE, text=OuterRef("text"))
    own = own_answers(run).filter(item__tools=[]).exclude(text="").select_related("item")
    telling = own.annotate(as_base=Exists(as_base)).order_by("as_base", "item__position")
    plain = [answer for answer in telling[:MOST_READ] if answer.item.is_plain]
    return [(answer.item.messages, answer.text) for answer in plain[:limit]]


def own_answers(run: EvaluationRun) -> QuerySet[Answer]:
    """The answers of the model that the evaluation is about."""
    return Answer.objects.filter(model__run=run, model__key=run.own_key)


@dataclass(frozen=True, kw_only=True)
class GradedAnswer:
    """One model's answer to a row, and the judge's grade if it has one."""

    model: EvaluatedModel
    answer: Answer
    grade: Grade | None


def answers_of(run: EvaluationRun, items: Sequence[EvaluationItem]) -> dict[UUID, list[GradedAnswer]]:
    """The answers to each of the run's `items` in the order of the models, with the grades of its last judging."""
    answers = Answer.objects.filter(item__in=items).select_related("model").order_by("model__position")
    judging = run.last_judging
    grades = {}
    if judging is not None:
        grades = {grade.answer_id: grade for grade in Grade.objects.filter(judging=judging, answer__item__in=items)}
    found: dict[UUID, list[GradedAnswer]] = {item.id: [] for item in items}
    for answer in answers:
        graded = GradedAnswer(model=answer.model, answer=answer, grade=grades.get(answer.id))
        found[answer.item_id].append(graded)
    return found


def histograms(
    models: Sequence[EvaluatedModel], metric: str, *, low: float = 0.0, high: float = 1.0
) -> dict[str, list[int]]:
    """{model's name: rows in each of BINS equal parts of a metric's scale}; the highest score is in the last."""
    found = {model.id: [0] * BINS for model in models}
    score = Cast(KT(f"scores__{metric}"), FloatField())
    place = Func(score, Value(low), Value(high), Value(BINS), function="width_bucket", output_field=IntegerField())
    answers = Answer.objects.filter(model__in=models).order_by().annotate(place=place).filter(place__isnull=False)
    for model_id, number, rows in answers.values_list("model", "place").annotate(Count("id")):
        found[model_id][min(max(number, 1), BINS) - 1] += rows
    return {model.name: found[model.id] for model in models}


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """The answers of about the same confidence: their mean confidence, and how many of them are right (0 to 1)."""

    rows: int
    confidence: float
    accuracy: float


def reliability_of(models: Sequence[EvaluatedModel]) -> dict[str, list[Reliability]]:
    """{model's name: its answers by confidence}, as the metric `calibration_error` counts them; empty without any."""
    # The answer to a whole prompt may get a little more than log 1 from a server that rounds.
    confidence = Exp(Least(F("log_probability"), Value(0.0)), output_field=FloatField())
    number = Least(Cast(Floor(F("confidence") * CONFIDENCE_BINS), IntegerField()), Value(CONFIDENCE_BINS - 1))
    right = Cast(KT("scores__quasi_exact_match"), FloatField())
    answers = Answer.objects.filter(model__in=models, log_probability__isnull=False).order_by()
    parts = answers.annotate(confidence=confidence, right=right).filter(right__isnull=False).annotate(number=number)
    rows = parts.values_list("model", "number").annotate(Count("id"), Avg("confidence"), Avg("right"))
    found: dict[UUID, list[Reliability]] = {model.id: [] for model in models}
    for model_id, _, count, mean, accuracy in sorted(rows, key=lambda row: row[1]):
        found[model_id].append(Reliability(rows=count, confidence=mean, accuracy=accuracy))
    return {model.name: found[model.id] for model in models if found[model.id]}


@dataclass(frozen=True, kw_only=True)
class ExpertView:
    """Experts' grades of the answers of the model that an evaluation is about, from 1 to 5.

    Means are None before the first. `judge_mean` is the judge's mean over the same answers, so that the two can be
    compared.
    """

    reviewed: int
    total: int
    reviewers: int
    grades: int
    mean: float | None
    judge_mean: float | None
    by_grade: list[tuple[int, int]]

    @property
    def fraction(self) -> float:
        return self.reviewed / self.total if self.total else 0.0


def expert_view(run: EvaluationRun) -> ExpertView:
    """All reviewers' grades of this evaluation. From the cache until somebody grades, or a judge does."""
    reviews = Review.objects.filter(round_item__round__run=run)
    count, at = reviews.aggregate(count=Count("pk"), newest=Max("updated_at")).values()
    judging = run.last_judging
    key = f"experts:{run.id}:{judging.id if judging else ''}:{count}:{at.timestamp() if at else 0}"
    found: ExpertView | None = cache.get(key)
    if found is None:
        found = _expert_view(run, judging)
        cache.set(key, found, KEPT)
    return found


def _expert_view(run: EvaluationRun, judging: Judging | None) -> ExpertView:
    graded = Review.objects.filter(
        round_item__round__run=run, round_item__answer__model__key=run.own_key, grade__isnull=False
    )
    total = graded.aggregate(
        grades=Count("pk"),
        mean=Avg("grade"),
        reviewers=Count("reviewer", distinct=True),
        reviewed=Count("round_item__item", distinct=True),
    )
    judged = Grade.objects.filter(judging=judging, answer__in=graded.values("round_item__answer"))
    wholes = graded.order_by().annotate(whole=Round("grade")).values_list("whole").annotate(Count("pk"))
    by_grade = {int(whole): count for whole, count in wholes}
    return ExpertView(
        **total,
        total=EvaluationItem.objects.filter(run=run).count(),
        judge_mean=judged.aggregate(mean=Avg("score"))["mean"],
        by_grade=[(whole, by_grade.get(whole, 0)) for whole in range(5, 0, -1)],
    )


def answered_counts(run: EvaluationRun) -> list[tuple[str, int, int]]:
    """(model's name, rows that it has answered, rows), models in order."""
    rows = EvaluationItem.objects.filter(run=run).count()
    models = EvaluatedModel.objects.filter(run=run).order_by("position").annotate(answered=Count("answers"))
    return [(name, answered, rows) for name, answered in models.values_list("name", "answered")]

"""REST: evaluations and their rows."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from adapters.models import BaseModel
from corpora.versions.serializers import DataFindingSerializer
from evaluations.models import AnswerError, EvaluatedModel, EvaluationItem, EvaluationRun, Judging, Review
from evaluations.runs.contenders import MOST_MODELS
from evaluations.runs.grades import NONE, AnswerGrades, GradesByAnswer
from evaluations.runs.grid.address import LENGTHS, LONGEST_SEARCH, SHOWS
from evaluations.runs.grid.exports import FILE_TYPES
from evaluations.runs.judgings.services import MOST_JUDGES
from evaluations.runs.need.compared import need_of
from evaluations.runs.need.serializers import NeedSerializer
from evaluations.runs.queries import GradedAnswer, leaks_in
from evaluations.runs.stages.held_out import MOST_ROWS, USUAL_ROWS
from jobs.serializers import JobSerializer


class EvaluatedModelSerializer(serializers.ModelSerializer[EvaluatedModel]):
    """A model that answered. `key` names it in `summary` and in the rows."""

    class Meta:
        model = EvaluatedModel
        fields = ("key", "name", "kind", "version")


class JudgingSerializer(serializers.ModelSerializer[Judging]):
    """Grades from 1 to 5 by one judge or a jury. `is_llm` says whether language models gave them."""

    name = serializers.CharField(source="__str__")
    is_llm = serializers.BooleanField()
    summary = serializers.DictField()

    class Meta:
        model = Judging
        fields = ("id", "name", "is_llm", "state", "summary", "created_at")


class EvaluationSerializer(serializers.ModelSerializer[EvaluationRun]):
    """`summary` is empty until the state is `ready`; see the example of one evaluation.

    With `data_findings`, its scores look better than they are: test rows of the dataset version are, or are much like,
    training rows.
    """

    version_name = serializers.SerializerMethodField(help_text="Null for an evaluation without a version.")
    title = serializers.CharField(read_only=True, help_text="Name of the model that it is about.")
    base_model = serializers.SlugRelatedField[BaseModel](
        slug_field="name",
        source="base",
        read_only=True,
        allow_null=True,
        help_text="Null if only outside models answer.",
    )
    about = serializers.CharField(source="own_key", read_only=True, help_text="Key of the model that it is about.")
    job = JobSerializer(read_only=True)
    models = EvaluatedModelSerializer(many=True, read_only=True)
    summary = serializers.DictField(read_only=True)
    judgings = JudgingSerializer(
        many=True, read_only=True, help_text="Newest first; rows show the grades of the first that is ready."
    )
    need = serializers.SerializerMethodField(
        help_text="Whether training was needed. Null without alternatives to training."
    )
    data_findings = serializers.SerializerMethodField(
        help_text="Leaks and near leaks of the dataset version, and rows that mean nearly the same as a training row "
        "(`evaluation:same_meaning`), for which scores look better than they are."
    )

    class Meta:
        model = EvaluationRun
        fields = (
            "id",
            "version",
            "version_name",
            "about",
            "title",
            "base_model",
            "dataset_version",
            "state",
            "models",
            "summary",
            "judgings",
            "need",
            "data_findings",
            "job",
            "created_at",
        )

    @extend_schema_field(serializers.CharField(allow_null=True))
    def get_version_name(self, run: EvaluationRun) -> str | None:
        return str(run.version) if run.version else None

    @extend_schema_field(NeedSerializer(allow_null=True))
    def get_need(self, run: EvaluationRun) -> Any:
        found = need_of(run)
        return None if found is None else NeedSerializer(found).data

    @extend_schema_field(DataFindingSerializer(many=True))
    def get_data_findings(self, run: EvaluationRun) -> Any:
        return DataFindingSerializer(leaks_in(run), many=True).data


class NewEvaluationSerializer(serializers.Serializer[dict[str, Any]]):
    version = serializers.UUIDField(
        default=None,
        allow_null=True,
        help_text="The adapter version to evaluate. Without one, the evaluation is about `base_model`, or the first of "
        "`outside`.",
    )
    base = serializers.BooleanField(default=True, help_text="Whether the base model answers too.")
    base_model = serializers.SlugField(
        default=None, allow_null=True, help_text="Name. Defaults to that of the version; without one, to none."
    )
    versions = serializers.ListField(
        child=serializers.UUIDField(),
        default=list,
        max_length=MOST_MODELS,
        help_text="Other versions on the same base model, of this adapter or others.",
    )
    outside = serializers.ListField(
        child=serializers.UUIDField(),
        default=list,
        max_length=MOST_MODELS,
        help_text="Judges whose models, behind OpenAI-compatible addresses, are asked for answers of their own.",
    )
    alternatives = serializers.BooleanField(
        default=True,
        help_text="Whether what needs no training answers too: the base model with examples from the training rows, a "
        "look-up of the most similar training row, and where answers are labels, a classifier.",
    )
    dataset_version = serializers.UUIDField(
        default=None,
        allow_null=True,
        help_text="The rows to answer: all of an evaluation set, or those held out. "
        "Defaults to the one that the version was trained on; needed without a version.",
    )
    judges = serializers.ListField(
        child=serializers.CharField(max_length=100),
        default=list,
        max_length=MOST_JUDGES,
        help_text="Judges that grade the answers as soon as they are there, as in `judgings/`.",
    )
    rubric = serializers.UUIDField(default=None, allow_null=True, help_text="What they grade by.")
    is_pairwise = serializers.BooleanField(default=False, help_text="Whether they also compare models in pairs.")
    rows = serializers.IntegerField(
        default=USUAL_ROWS,
        min_value=1,
        max_value=MOST_ROWS,
        help_text="At most so many held-out rows, always the same sample.",
    )


class RowsQuerySerializer(serializers.Serializer[dict[str, Any]]):
    """Which rows, in which order, as which file. Only `format` is checked: see `evaluations.runs.grid.address`."""

    format = serializers.ChoiceField(choices=list(FILE_TYPES), default="csv")
    model = serializers.CharField(required=False, help_text="Key of the model; by default the evaluation’s own.")
    against = serializers.CharField(required=False, help_text="Key of the model it is compared with.")
    show = serializers.ListField(
        child=serializers.CharField(), required=False, help_text=f"Any of {', '.join(SHOWS)}; may be repeated."
    )
    wrong = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Key of a model that is wrong; may be repeated."
    )
    slice = serializers.CharField(required=False)
    where = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="A column kept with the rows, and its value: `topic:billing`, `language:de`; may be repeated.",
    )
    length = serializers.CharField(required=False, help_text=f"A third by length of the prompt: {', '.join(LENGTHS)}.")
    q = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text=f"Text in the prompt, the expected answer or an answer; {LONGEST_SEARCH} characters count.",
    )
    sort = serializers.CharField(
        required=False,
        help_text="position, worse, uncertain, judge, length, likeness or a metric; `-` in front turns it round.",
    )


class AnswerReviewSerializer(serializers.ModelSerializer[Review]):
    """What an expert said of an answer: `grade` from 1 (wrong) to 5 (just right), by criterion in `grades`.

    Of a pair, `choice` says how the answer compares with that of the model `against`: candidate (better), tie or other
    (worse). `is_adjudication` is the last word on an answer on which experts disagreed.
    """

    reviewer = serializers.CharField(source="reviewer.__str__", read_only=True)
    grades = serializers.DictField(child=serializers.IntegerField(), read_only=True)
    marks = serializers.ListField(child=serializers.DictField(), read_only=True)
    against = serializers.CharField(source="round_item.other.model.key", default=None, allow_null=True)

    class Meta:
        model = Review
        fields = (
            "reviewer",
            "grade",
            "grades",
            "choice",
            "against",
            "comment",
            "marks",
            "correction",
            "is_adjudication",
            "updated_at",
        )


class AnswerSerializer(serializers.Serializer[GradedAnswer]):
    """One model's answer. `scores` are by metric; `grade` is the judge's, 1 to 5, null without a verdict."""

    model = serializers.CharField(source="model.key")
    text = serializers.CharField(source="answer.text")
    error = serializers.ChoiceField(
        AnswerError.choices, source="answer.error", allow_blank=True, help_text="Why there is no answer, if so."
    )
    is_right = serializers.BooleanField(
        source="answer.is_right", allow_null=True, help_text="Exactly the expected answer; null until scored."
    )
    scores = serializers.DictField(source="answer.scores")
    prompt_tokens = serializers.IntegerField(source="answer.prompt_tokens", allow_null=True)
    completion_tokens = serializers.IntegerField(source="answer.completion_tokens", allow_null=True)
    examples = serializers.IntegerField(
        source="answer.examples", allow_null=True, help_text="Training rows that stood in the prompt."
    )
    seconds = serializers.FloatField(source="answer.seconds", allow_null=True)
    grade = serializers.FloatField(source="grade.score", default=None)
    reason = serializers.CharField(source="grade.reason", default="", help_text="The judge's reason.")
    reviews = serializers.SerializerMethodField(help_text="Experts’ grades, comments and corrections, oldest first.")
    hidden_reviews = serializers.SerializerMethodField(
        help_text="Reviews by others that you see after grading this answer. 0 unless you grade in an open round."
    )

    @extend_schema_field(AnswerReviewSerializer(many=True))
    def get_reviews(self, graded: GradedAnswer) -> Any:
        return AnswerReviewSerializer(self._given(graded).shown, many=True).data

    def get_hidden_reviews(self, graded: GradedAnswer) -> int:
        return self._given(graded).hidden

    def _given(self, graded: GradedAnswer) -> AnswerGrades:
        grades: GradesByAnswer = self.context["grades"]
        return grades.get(graded.answer.id, NONE)


class ItemSerializer(serializers.ModelSerializer[EvaluationItem]):
    """One row with every model's answer. Its context has the `answers` of every row, and the `grades` by answer."""

    messages = serializers.ListField(child=serializers.DictField())
    tools = serializers.ListField(child=serializers.DictField(), help_text="Functions that the model may call.")
    metadata = serializers.DictField(
        child=serializers.CharField(), help_text="Columns kept with the row, and its `language`."
    )
    answers = serializers.SerializerMethodField(help_text="In the order of the evaluation’s models.")

    class Meta:
        model = EvaluationItem
        fields = (
            "id",
            "position",
            "slice",
            "messages",
            "tools",
            "reference",
            "metadata",
            "answers",
        )

    @extend_schema_field(AnswerSerializer(many=True))
    def get_answers(self, item: EvaluationItem) -> Any:
        return AnswerSerializer(self.context["answers"][item.id], many=True, context=self.context).data

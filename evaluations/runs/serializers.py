"""REST: evaluations and their rows."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from corpora.versions.caveats import leaks_of
from corpora.versions.serializers import DataFindingSerializer
from evaluations.models import AnswerError, EvaluatedModel, EvaluationItem, EvaluationRun, Judging, Review
from evaluations.runs.contenders import MOST_MODELS
from evaluations.runs.grades import RowGrades
from evaluations.runs.grid.address import LENGTHS, LONGEST_SEARCH, SHOWS
from evaluations.runs.grid.exports import FILE_TYPES
from evaluations.runs.judgings.services import MOST_JUDGES
from evaluations.runs.queries import GradedAnswer
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

    version_name = serializers.CharField(source="version.__str__", read_only=True)
    job = JobSerializer(read_only=True)
    models = EvaluatedModelSerializer(many=True, read_only=True)
    summary = serializers.DictField(read_only=True)
    judgings = JudgingSerializer(
        many=True, read_only=True, help_text="Newest first; rows show the grades of the first that is ready."
    )
    data_findings = serializers.SerializerMethodField(
        help_text="Leaks and near leaks of the dataset version, for which scores look better than they are."
    )

    class Meta:
        model = EvaluationRun
        fields = (
            "id",
            "version",
            "version_name",
            "dataset_version",
            "state",
            "models",
            "summary",
            "judgings",
            "data_findings",
            "job",
            "created_at",
        )

    @extend_schema_field(DataFindingSerializer(many=True))
    def get_data_findings(self, run: EvaluationRun) -> Any:
        return DataFindingSerializer(leaks_of(run.dataset_version), many=True).data


class NewEvaluationSerializer(serializers.Serializer[dict[str, Any]]):
    version = serializers.UUIDField(help_text="The adapter version to evaluate.")
    base = serializers.BooleanField(default=True, help_text="Whether its base model answers too.")
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
    dataset_version = serializers.UUIDField(
        default=None,
        allow_null=True,
        help_text="The rows to answer: all of an evaluation set, or those held out. "
        "Defaults to the one that the version was trained on.",
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
    model = serializers.CharField(required=False, help_text="Key of the model; by default that of the version.")
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
        required=False, help_text="position, worse, uncertain, judge, length or a metric; `-` in front turns it round."
    )


class RowReviewSerializer(serializers.ModelSerializer[Review]):
    """An expert's grade of the adapter's answer, from 1 (wrong) to 5 (just right)."""

    reviewer = serializers.CharField(source="reviewer.__str__", read_only=True)

    class Meta:
        model = Review
        fields = ("reviewer", "grade", "comment", "updated_at")


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
    grade = serializers.FloatField(source="grade.score", default=None)
    reason = serializers.CharField(source="grade.reason", default="", help_text="The judge's reason.")


class ItemSerializer(serializers.ModelSerializer[EvaluationItem]):
    """One row with every model's answer. Its context has the `answers` and `grades` of every row."""

    messages = serializers.ListField(child=serializers.DictField())
    tools = serializers.ListField(child=serializers.DictField(), help_text="Functions that the model may call.")
    metadata = serializers.DictField(
        child=serializers.CharField(), help_text="Columns kept with the row, and its `language`."
    )
    answers = serializers.SerializerMethodField(help_text="In the order of the evaluation’s models.")
    reviews = serializers.SerializerMethodField(help_text="Experts’ grades and comments, oldest first.")
    hidden_reviews = serializers.SerializerMethodField(
        help_text="Grades by others that you see after grading this answer. 0 unless you review this evaluation."
    )

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
            "reviews",
            "hidden_reviews",
        )

    @extend_schema_field(AnswerSerializer(many=True))
    def get_answers(self, item: EvaluationItem) -> Any:
        return AnswerSerializer(self.context["answers"][item.id], many=True).data

    @extend_schema_field(RowReviewSerializer(many=True))
    def get_reviews(self, item: EvaluationItem) -> Any:
        return RowReviewSerializer(self._grades(item).shown, many=True).data

    def get_hidden_reviews(self, item: EvaluationItem) -> int:
        return self._grades(item).hidden

    def _grades(self, item: EvaluationItem) -> RowGrades:
        grades: RowGrades = self.context["grades"][item.id]
        return grades

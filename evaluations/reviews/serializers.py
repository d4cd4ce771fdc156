"""REST: review rounds, the answers in them, and reviews."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from evaluations.judges.prompts import Criterion
from evaluations.models import Review, ReviewRound, RoundItem, RoundShape, RoundState
from evaluations.reviews.queries import assigned, decided_count, disputes, skips
from evaluations.reviews.queue.given import MAX_COMMENT, MAX_CORRECTION, MAX_MARKS, MAX_NOTE, shown_choice
from evaluations.reviews.queue.services import MAX_REASON
from evaluations.reviews.rounds.services import MOST_LABELS, MOST_REVIEWERS, USUAL_LABELS
from evaluations.rubrics.document import parsed


class MarkSerializer(serializers.Serializer[Any]):
    """A place in the answer: `start` and `end` in characters, its text, and what the expert says of it."""

    start = serializers.IntegerField(min_value=0)
    end = serializers.IntegerField(min_value=1)
    text = serializers.CharField(allow_blank=True, default="", trim_whitespace=False)
    note = serializers.CharField(allow_blank=True, default="", max_length=MAX_NOTE)


class ReviewSerializer(serializers.ModelSerializer[Review]):
    """What you said of an item. `choice` names the answers of a pair as you saw them: first, second or tie."""

    item = serializers.UUIDField(source="round_item_id", read_only=True)
    grades = serializers.DictField(child=serializers.IntegerField(), read_only=True)
    choice = serializers.SerializerMethodField()
    marks = MarkSerializer(many=True, read_only=True)

    class Meta:
        model = Review
        fields = (
            "id",
            "item",
            "grades",
            "grade",
            "choice",
            "comment",
            "marks",
            "correction",
            "seconds",
            "is_adjudication",
            "created_at",
            "updated_at",
        )

    @extend_schema_field(OpenApiTypes.STR)
    def get_choice(self, review: Review) -> str:
        return shown_choice(review.choice, review.round_item)


class GivenSerializer(serializers.Serializer[dict[str, Any]]):
    """`grades` by criterion, or one `grade` where the item has no criteria, or the `choice` of a pair."""

    grades = serializers.DictField(child=serializers.IntegerField(), default=dict)
    grade = serializers.IntegerField(default=None, allow_null=True, help_text="From 1 (wrong) to 5 (just right).")
    choice = serializers.ChoiceField(choices=["first", "second", "tie"], default="", allow_blank=True)
    comment = serializers.CharField(default="", allow_blank=True, help_text=f"Up to {MAX_COMMENT} characters.")
    marks = MarkSerializer(many=True, default=list, help_text=f"Up to {MAX_MARKS}.")
    correction = serializers.CharField(
        default="", allow_blank=True, help_text=f"The answer as it should be, up to {MAX_CORRECTION:,} characters."
    )
    seconds = serializers.FloatField(default=None, allow_null=True, help_text="From seeing the item to grading it.")


class SkipSerializer(serializers.Serializer[dict[str, Any]]):
    reason = serializers.CharField(default="", allow_blank=True, help_text=f"Up to {MAX_REASON} characters.")


class CriterionSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    description = serializers.CharField()
    lowest = serializers.IntegerField()
    highest = serializers.IntegerField()
    anchors = serializers.DictField(child=serializers.CharField(), help_text="{grade: what it stands for}")
    required = serializers.BooleanField()  # type: ignore[assignment]


class ShownAnswerSerializer(serializers.Serializer[Any]):
    label = serializers.CharField(  # type: ignore[assignment]
        help_text="A or B of a pair, else empty."
    )
    text = serializers.CharField()


class ReviewItemSerializer(serializers.Serializer[RoundItem]):
    """What an expert sees of an item: no model, judge, metric or other expert. `own` is their review of it."""

    id = serializers.UUIDField()
    number = serializers.IntegerField(source="position")
    messages = serializers.ListField(source="item.messages", child=serializers.DictField())
    expected = serializers.CharField(source="item.reference")
    answers = serializers.SerializerMethodField(help_text="One, or the two of a pair in shuffled order.")
    criteria = serializers.SerializerMethodField(help_text="Empty without a rubric, and for pairs.")
    instructions = serializers.SerializerMethodField()
    own = serializers.SerializerMethodField()

    @extend_schema_field(ShownAnswerSerializer(many=True))
    def get_answers(self, item: RoundItem) -> list[dict[str, str]]:
        if item.other is None:
            return [{"label": "", "text": item.answer.text}]
        texts = [item.answer.text, item.other.text]
        if item.is_swapped:
            texts.reverse()
        return [{"label": label, "text": text} for label, text in zip("AB", texts, strict=True)]

    @extend_schema_field(CriterionSerializer(many=True))
    def get_criteria(self, item: RoundItem) -> list[dict[str, Any]]:
        version = item.round.rubric_version
        if version is None or item.round.shape == RoundShape.PAIR:
            return []
        return [_criterion(one.criterion, one.required) for one in parsed(version.document).criteria]

    def get_instructions(self, item: RoundItem) -> str:
        version = item.round.rubric_version
        return str(version.document.get("instructions", "")) if version else ""

    @extend_schema_field(ReviewSerializer(allow_null=True))
    def get_own(self, item: RoundItem) -> Any:
        review = self.context["own"].get(item.id)
        return ReviewSerializer(review).data if review is not None else None


class RoundProgressSerializer(serializers.Serializer[Any]):
    """Yours. `minutes_left` is told from your own grades, null before the third."""

    done = serializers.IntegerField()
    total = serializers.IntegerField()
    minutes_left = serializers.IntegerField(allow_null=True)


class NextItemsSerializer(serializers.Serializer[Any]):
    progress = RoundProgressSerializer()
    items = ReviewItemSerializer(many=True)


class JudgeGradeSerializer(serializers.Serializer[Any]):
    grade = serializers.FloatField(source="score")
    reason = serializers.CharField()


class ReviewedSerializer(serializers.Serializer[Any]):
    """Your review, and where the round stands with it."""

    review = ReviewSerializer()
    progress = RoundProgressSerializer()
    judge = JudgeGradeSerializer(allow_null=True, help_text="Where the round shows it after your own grade.")


class AssignedSerializer(serializers.Serializer[Any]):
    email = serializers.CharField(source="reviewer.email")
    due_on = serializers.DateField(allow_null=True)
    progress = RoundProgressSerializer()
    skipped = serializers.IntegerField(source="progress.skipped")


class ReviewRoundSerializer(serializers.ModelSerializer[ReviewRound]):
    """A round as its experts see it in a list."""

    name = serializers.SerializerMethodField()

    class Meta:
        model = ReviewRound
        fields = ("id", "number", "name", "state", "shape", "due_on", "created_at", "closed_at")

    def get_name(self, found: ReviewRound) -> str:
        return f"{found.run.dataset_version.dataset.name}, round {found.number}"


class DisputeSerializer(serializers.Serializer[Any]):
    """An item on which experts disagree."""

    item = serializers.UUIDField(source="item.id")
    number = serializers.IntegerField(source="item.position")
    row = serializers.IntegerField(source="item.item.position")
    grades = serializers.SerializerMethodField(help_text="[{reviewer, grade, choice}]")

    def get_grades(self, found: Any) -> list[dict[str, Any]]:
        return [
            {"reviewer": review.reviewer.email, "grade": review.grade, "choice": review.choice}
            for review in found.reviews
        ]


class ManagedRoundSerializer(ReviewRoundSerializer):
    """A round as those who manage reviews see it."""

    evaluation = serializers.UUIDField(source="run_id")
    candidate = serializers.CharField(source="candidate.key")
    against = serializers.CharField(source="against.key", default=None, allow_null=True)
    answers = serializers.SerializerMethodField(help_text="How many items the round has.")
    decided = serializers.SerializerMethodField(help_text="How many of them have a verdict.")
    reviewers = serializers.SerializerMethodField()
    disputes = serializers.SerializerMethodField(help_text="Items to adjudicate.")
    skipped = serializers.SerializerMethodField(help_text="[{number, reviewer, reason}]")

    class Meta(ReviewRoundSerializer.Meta):
        fields = (  # type: ignore[assignment]
            *ReviewRoundSerializer.Meta.fields,
            "evaluation",
            "candidate",
            "against",
            "rubric_version",
            "reviewers_per_item",
            "seed",
            "shows_judge",
            "answers",
            "decided",
            "reviewers",
            "disputes",
            "skipped",
        )

    def get_answers(self, found: ReviewRound) -> int:
        return decided_count(found)[1]

    def get_decided(self, found: ReviewRound) -> int:
        return decided_count(found)[0]

    @extend_schema_field(AssignedSerializer(many=True))
    def get_reviewers(self, found: ReviewRound) -> Any:
        return AssignedSerializer(assigned(found), many=True).data

    @extend_schema_field(DisputeSerializer(many=True))
    def get_disputes(self, found: ReviewRound) -> Any:
        return DisputeSerializer(disputes(found), many=True).data

    def get_skipped(self, found: ReviewRound) -> list[dict[str, Any]]:
        return [
            {"number": turn.round_item.position, "reviewer": turn.reviewer.email, "reason": turn.reason}
            for turn in skips(found)
        ]


class NewRoundSerializer(serializers.Serializer[dict[str, Any]]):
    evaluation = serializers.UUIDField()
    answers = serializers.IntegerField(
        default=USUAL_LABELS, min_value=1, max_value=MOST_LABELS, help_text="About so many rows are drawn."
    )
    uniform_share = serializers.FloatField(
        default=0.5, min_value=0, max_value=1, help_text="Rows drawn at random; these alone decide and audit."
    )
    adversarial_share = serializers.FloatField(
        default=0.1, min_value=0, max_value=1, help_text="Rows on which a judge is easily fooled."
    )
    candidate = serializers.CharField(
        default="", allow_blank=True, help_text="Key of the model; by default the one that the evaluation is about."
    )
    against = serializers.CharField(default="", allow_blank=True, help_text="Key of a second model, if any.")
    shape = serializers.ChoiceField(choices=RoundShape.choices, default=RoundShape.SINGLE)
    reviewers_per_item = serializers.IntegerField(default=1, min_value=1, max_value=MOST_REVIEWERS)
    rubric_version = serializers.UUIDField(default=None, allow_null=True)
    reviewers = serializers.ListField(
        child=serializers.EmailField(),
        default=list,
        max_length=500,
        help_text="E-mail addresses of members; all reviewers of the organisation if empty.",
    )
    due_on = serializers.DateField(default=None, allow_null=True)
    shows_judge = serializers.BooleanField(
        default=False, help_text="Whether experts see the judge’s grade of an answer once they have given their own."
    )


class RoundChangeSerializer(serializers.Serializer[dict[str, Any]]):
    """Only what is named changes. `state` can only become `closed`."""

    state = serializers.ChoiceField(choices=RoundState.choices, required=False)
    due_on = serializers.DateField(required=False, allow_null=True)
    reviewers = serializers.ListField(child=serializers.EmailField(), required=False, max_length=500)
    rubric_version = serializers.UUIDField(
        required=False, help_text="A newer version of the round’s rubric: what was graded by an older one comes again."
    )

    def validate_state(self, state: str) -> str:
        if state != RoundState.CLOSED:
            raise serializers.ValidationError("A round can only be closed.")
        return state


class AheadSerializer(serializers.Serializer[dict[str, Any]]):
    ahead = serializers.IntegerField(default=1, min_value=1, max_value=10, help_text="How many items to reserve.")


def _criterion(criterion: Criterion, required: bool) -> dict[str, Any]:
    return {
        "name": criterion.name,
        "description": criterion.description,
        "lowest": criterion.lowest,
        "highest": criterion.highest,
        "anchors": {str(grade): text for grade, text in criterion.anchors.items()},
        "required": required,
    }

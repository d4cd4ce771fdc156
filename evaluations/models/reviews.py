"""Experts' reviews: rounds, the answers in them, whose turn it is, and the grades."""

from dataclasses import dataclass

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from evaluations.models.judges import RubricVersion
from evaluations.models.runs import Answer, EvaluatedModel, EvaluationItem, EvaluationRun
from tenants.isolation import TenantForeignKey
from tenants.models import TenantModel, User


class RoundState(models.TextChoices):
    """A closed round takes no more grades."""

    OPEN = "open", "Open"
    CLOSED = "closed", "Closed"


class RoundShape(models.TextChoices):
    """How experts see answers."""

    SINGLE = "single", "One answer at a time"
    PAIR = "pair", "Two answers side by side"


class ReviewRound(TenantModel):
    """Answers of an evaluation for experts to grade, drawn and put in order before the first grade.

    Experts grade the answers of `candidate`: alone, or each beside the answer of `against`. Rounds of single answers
    with an `against` have the answers of both, as items of their own. Without a rubric an answer gets one grade, 1 to
    5.
    """

    run = TenantForeignKey(EvaluationRun, models.CASCADE, related_name="rounds", db_index=False)
    number = models.PositiveIntegerField()
    rubric_version = TenantForeignKey(RubricVersion, models.PROTECT, null=True, blank=True, related_name="rounds")
    candidate = TenantForeignKey(EvaluatedModel, models.CASCADE, related_name="+")
    against = TenantForeignKey(EvaluatedModel, models.CASCADE, null=True, blank=True, related_name="+")
    shape = models.CharField(max_length=8, choices=RoundShape, default=RoundShape.SINGLE)
    reviewers_per_item = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(9)]
    )
    seed = models.CharField(max_length=32, editable=False, help_text="Fixes what is drawn, and in which order.")
    shows_judge = models.BooleanField(
        default=False, help_text="Whether experts see the judge’s grade once they have given their own."
    )
    state = models.CharField(max_length=8, choices=RoundState, default=RoundState.OPEN)
    due_on = models.DateField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("-created_at",)
        constraints = (models.UniqueConstraint(fields=("tenant", "run", "number"), name="review_round_once"),)

    def __str__(self) -> str:
        return f"Round {self.number}"


class ItemPart(models.TextChoices):
    """Why an item is in its round. Only the uniform part decides and audits."""

    UNIFORM = "uniform", "Random sample"
    TARGETED = "targeted", "Where the judge errs most"
    ADVERSARIAL = "adversarial", "Where a judge is easily fooled"


class RoundItem(TenantModel):
    """An answer, or a pair, for experts to grade. `position` is the order in which grades count as evidence."""

    round = TenantForeignKey(ReviewRound, models.CASCADE, related_name="items", db_index=False)
    position = models.PositiveIntegerField()
    # What `answer.item` is, so that the grid finds the reviews of its rows without the answers.
    item = TenantForeignKey(EvaluationItem, models.CASCADE, related_name="round_items")
    answer = TenantForeignKey(Answer, models.CASCADE, related_name="round_items")
    other = TenantForeignKey(Answer, models.CASCADE, null=True, blank=True, related_name="+", help_text="of a pair")
    is_swapped = models.BooleanField(default=False, help_text="Whether the candidate’s answer of a pair stands second.")
    part = models.CharField(max_length=12, choices=ItemPart, default=ItemPart.UNIFORM)
    probability = models.FloatField(
        null=True, blank=True, help_text="with which it was drawn; null if it was not drawn at random"
    )
    is_decided = models.BooleanField(
        default=False,
        editable=False,
        help_text="Whether it has reviews by enough experts under the round’s rubric version, or an adjudication.",
    )

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "round", "position"), name="round_item_position_once"),
            models.UniqueConstraint(fields=("tenant", "round", "answer"), name="round_item_answer_once"),
        )
        # Late in a large round few items are open: the next one is found without reading those decided.
        indexes = (
            models.Index(
                fields=("round", "position"), condition=models.Q(is_decided=False), name="round_item_undecided"
            ),
        )

    def __str__(self) -> str:
        return f"item {self.position}"


class Assignment(TenantModel):
    """An expert who grades in a round, and by when."""

    round = TenantForeignKey(ReviewRound, models.CASCADE, related_name="assignments", db_index=False)
    reviewer = models.ForeignKey(User, models.CASCADE, related_name="+")
    due_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tenant", "round", "reviewer"), name="assignment_once"),)

    def __str__(self) -> str:
        return f"{self.reviewer} in {self.round_id}"


class TurnState(models.TextChoices):
    """What an expert did with an item that was handed out."""

    RESERVED = "reserved", "Reserved"
    GRADED = "graded", "Graded"
    SKIPPED = "skipped", "Skipped"


class Turn(TenantModel):
    """An item handed to an expert. A reservation that has expired is free for others."""

    round_item = TenantForeignKey(RoundItem, models.CASCADE, related_name="turns", db_index=False)
    # Without an index of its own: `turn_of_reviewer` begins with it.
    reviewer = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    state = models.CharField(max_length=8, choices=TurnState, default=TurnState.RESERVED)
    expires_at = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True, help_text="why it was skipped")
    has_seen_judge = models.BooleanField(default=False, db_default=False)
    blind_grade = models.FloatField(
        null=True, blank=True, help_text="what the expert had said when they were shown the judge's grade"
    )

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tenant", "round_item", "reviewer"), name="turn_once"),)
        indexes = (models.Index(fields=("reviewer", "state"), name="turn_of_reviewer"),)

    def __str__(self) -> str:
        return f"{self.get_state_display()}: {self.round_item_id}"


class Choice(models.TextChoices):
    """The better answer of a pair."""

    CANDIDATE = "candidate", "Candidate"
    TIE = "tie", "Equally good"
    OTHER = "other", "Other"


@dataclass(frozen=True, kw_only=True)
class CriterionGrade:
    """An expert's grade by one criterion, and the best there is."""

    name: str
    grade: int
    highest: int


class Review(TenantModel):
    """What one expert said of one item, once. An adjudication settles an item on which experts disagreed.

    Whoever adjudicates may have graded the item too.
    """

    round_item = TenantForeignKey(RoundItem, models.CASCADE, related_name="reviews")
    reviewer = models.ForeignKey(User, models.CASCADE, related_name="+")
    rubric_version = TenantForeignKey(
        RubricVersion, models.PROTECT, null=True, blank=True, related_name="+", help_text="by which it was graded"
    )
    grades = models.JSONField(default=dict, db_default={}, help_text="{criterion: grade}; empty without a rubric")
    grade = models.FloatField(null=True, blank=True, help_text="1 to 5, the weighted mean of criteria; null for pairs")
    choice = models.CharField(max_length=9, choices=Choice, blank=True, db_default="", help_text="of a pair only")
    comment = models.TextField(blank=True)
    marks = models.JSONField(
        default=list, db_default=[], help_text="[{start, end, text, note}]; places in the answer, in characters"
    )
    correction = models.TextField(blank=True, db_default="", help_text="the answer as the expert would have it")
    seconds = models.FloatField(null=True, blank=True, help_text="from seeing the item to grading it")
    has_seen_judge = models.BooleanField(default=False, db_default=False)
    is_adjudication = models.BooleanField(default=False, db_default=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "round_item", "reviewer"),
                condition=models.Q(is_adjudication=False),
                name="review_of_reviewer_once",
            ),
            models.UniqueConstraint(
                fields=("tenant", "round_item"), condition=models.Q(is_adjudication=True), name="adjudication_once"
            ),
            models.CheckConstraint(
                condition=models.Q(choice="", grade__gte=1, grade__lte=5)
                | (~models.Q(choice="") & models.Q(grade__isnull=True)),
                name="review_grade_or_choice",
            ),
        )

    def __str__(self) -> str:
        return self.get_choice_display() or f"{round(self.grade or 0, 1):g} of 5"

    @property
    def by_criterion(self) -> list[CriterionGrade]:
        """The grades in the rubric's order; empty without a rubric. Reads the rubric version."""
        criteria = self.rubric_version.document["criteria"] if self.rubric_version else []
        return [
            CriterionGrade(name=one["name"], grade=self.grades[one["name"]], highest=one["scale"][1])
            for one in criteria
            if one["name"] in self.grades
        ]


class ReviewDigest(TenantModel):
    """On which day a reviewer was last told by e-mail how many answers wait, and whether they want to be told."""

    reviewer = models.ForeignKey(User, models.CASCADE, related_name="+")
    sent_on = models.DateField(null=True, blank=True)
    is_wanted = models.BooleanField(default=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tenant", "reviewer"), name="review_digest_once"),)

    def __str__(self) -> str:
        return f"digest of {self.reviewer_id}"

"""Alignments: versions of a judge that are shown answers which experts graded otherwise than it did."""

from django.db import models

from evaluations.models.judges import Judge, RubricVersion
from evaluations.models.runs import Answer
from jobs.models import Job
from tenants.isolation import TenantForeignKey, TenantOneToOneField
from tenants.models import TenantModel, User


class AlignmentState(models.TextChoices):
    """A person decides about a measured one: it is used from then on, or dropped. One in use may be dropped later."""

    RUNNING = "running", "Measuring"
    MEASURED = "measured", "Measured"
    USED = "used", "In use"
    DROPPED = "dropped", "Dropped"
    FAILED = "failed", "Failed"
    STOPPED = "stopped", "Stopped"


class Alignment(TenantModel):
    """A version of a judge for one version of a rubric: the judge with few-shot examples from experts' grades.

    It belongs to the judge as it computed then (`judge_fingerprint`): a judge that changes grades without examples.
    """

    judge = TenantForeignKey(Judge, models.CASCADE, related_name="alignments")
    judge_version = models.PositiveIntegerField()
    judge_fingerprint = models.CharField(max_length=64, help_text="of the judge without examples")
    before_fingerprint = models.CharField(max_length=64, help_text="of what it is measured against")
    fingerprint = models.CharField(max_length=64, help_text="of the judge with these examples")
    rubric_version = TenantForeignKey(RubricVersion, models.PROTECT, null=True, blank=True, related_name="+")
    job = TenantOneToOneField(Job, models.PROTECT, related_name="alignment")
    state = models.CharField(max_length=16, choices=AlignmentState, default=AlignmentState.RUNNING)
    labels = models.PositiveIntegerField(help_text="answers that experts and the judge had both graded, in both halves")
    example_count = models.PositiveSmallIntegerField()
    measured = models.JSONField(help_text="[[answer, cluster, experts’ grade, the judge’s score before]], of one half")
    progress = models.JSONField(default=dict, help_text="as evaluations.judging.steps keeps it")
    figures = models.JSONField(default=dict, help_text="as evaluations.alignment.measured.Figures.to_dict gives it")
    cost = models.JSONField(default=dict, help_text="{calls, tokens_in, tokens_out, usd}; null where not known")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "judge", "rubric_version"),
                name="alignment_running_once",
                condition=models.Q(state=AlignmentState.RUNNING),
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                fields=("tenant", "judge", "rubric_version"),
                name="alignment_used_once",
                condition=models.Q(state=AlignmentState.USED),
                nulls_distinct=False,
            ),
        )

    def __str__(self) -> str:
        return f"{self.judge} by {self.rubric_version}" if self.rubric_version_id else str(self.judge)


class AlignmentExample(TenantModel):
    """An answer that the judge is shown with the experts' grade, as they gave it when it was chosen.

    The texts are the answer's own, so that deleting an evaluation deletes them here too.
    """

    alignment = TenantForeignKey(Alignment, models.CASCADE, related_name="examples", db_index=False)
    position = models.PositiveSmallIntegerField()
    criterion = models.CharField(max_length=80)
    answer = TenantForeignKey(Answer, models.CASCADE, related_name="+")
    cluster = models.CharField(max_length=64, help_text="what rows with the same prompt have in common")
    grade = models.PositiveSmallIntegerField(help_text="of the experts, on the criterion’s scale")
    score = models.FloatField(help_text="of the judge before, on the same scale")
    comment = models.TextField(blank=True)

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "alignment", "position"), name="alignment_example_once"),
        )

    def __str__(self) -> str:
        return f"example {self.position}"

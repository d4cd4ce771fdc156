"""Judgings: grades of an evaluation's answers, and the verdicts behind them."""

from django.db import models

from evaluations.models.judges import Judge
from evaluations.models.runs import Answer, EvaluationRun
from jobs.models import Job
from tenants.isolation import TenantForeignKey, TenantOneToOneField
from tenants.models import TenantModel, User


class JudgingState(models.TextChoices):
    """A judging is incomplete if too many answers have no verdict for its figures to stand for all of them."""

    RUNNING = "running", "Running"
    READY = "ready", "Ready"
    INCOMPLETE = "incomplete", "Incomplete"
    FAILED = "failed", "Failed"
    STOPPED = "stopped", "Stopped"


class Judging(TenantModel):
    """Grades of an evaluation's answers by one judge or a jury. An evaluation may be judged again by others."""

    run = TenantForeignKey(EvaluationRun, models.CASCADE, related_name="judgings")
    job = TenantOneToOneField(Job, models.PROTECT, null=True, blank=True, related_name="judging")
    state = models.CharField(max_length=16, choices=JudgingState, default=JudgingState.RUNNING)
    judges = models.JSONField(help_text="[{id or alias, name, fingerprint, is_llm}] as they were at the start")
    rubric_version = TenantForeignKey("RubricVersion", models.PROTECT, null=True, blank=True, related_name="judgings")
    is_pairwise = models.BooleanField(default=False, help_text="Whether models were compared in pairs as well.")
    progress = models.JSONField(default=dict, db_default={}, help_text="Where each judge goes on, by fingerprint.")
    summary = models.JSONField(
        default=dict,
        help_text="{slice: {figures: {model: mean grade}, differences: [...], models: {...}, pairs: [...]}}",
    )
    usage = models.JSONField(default=dict, db_default={}, help_text="{calls, tokens_in, tokens_out, cost_usd, ...}")
    why = models.TextField(blank=True, db_default="", help_text="Why it is incomplete, or failed.")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "run"), name="judging_running_once", condition=models.Q(state=JudgingState.RUNNING)
            ),
        )

    def __str__(self) -> str:
        return ", ".join(judge["name"] for judge in self.judges)

    @property
    def has_grades(self) -> bool:
        """Whether it is over and stored grades."""
        return self.state in (JudgingState.READY, JudgingState.INCOMPLETE)

    @property
    def is_llm(self) -> bool:
        """Whether language models gave the grades."""
        return any(judge["is_llm"] for judge in self.judges)


class Grade(TenantModel):
    """A judging's grade of one answer, 1 to 5. Answers without a verdict have no row."""

    judging = TenantForeignKey(Judging, models.CASCADE, related_name="grades", db_index=False)
    answer = TenantForeignKey(Answer, models.CASCADE, related_name="grades")
    score = models.FloatField()
    reason = models.TextField(blank=True)
    detail = models.JSONField(default=dict, help_text="{criterion: {judge: {score, reason}}}")
    spread = models.FloatField(default=0.0, help_text="How far judges are apart, in grades.")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tenant", "judging", "answer"), name="grade_once"),)

    def __str__(self) -> str:
        return f"{self.score:.1f} of 5"


class Verdict(TenantModel):
    """A judge's reply to one prompt, paid for once and used wherever the same question comes up again.

    `error` is why the judge will never reply to this prompt, such as `refused`; then there is no score. Failures that
    pass are not stored. Never changed.
    """

    key = models.CharField(max_length=64, help_text="sha256 of the judge’s fingerprint and the prompt’s sha256")
    prompt_sha256 = models.CharField(max_length=64)
    judge = TenantForeignKey(Judge, models.SET_NULL, null=True, blank=True, related_name="verdicts")
    judge_name = models.CharField(max_length=80)
    score = models.FloatField(null=True, blank=True)
    distribution = models.JSONField(default=dict, help_text="{choice: probability}; sums to 1")
    choice = models.CharField(max_length=8, blank=True, help_text="first, second or tie; of a pair only")
    basis = models.CharField(max_length=8, blank=True, help_text="logprobs, samples or rule")
    reason = models.TextField(blank=True)
    error = models.CharField(max_length=16, blank=True)
    calls = models.PositiveSmallIntegerField()
    tokens_in = models.PositiveIntegerField(null=True, blank=True)
    tokens_out = models.PositiveIntegerField(null=True, blank=True)
    usd = models.DecimalField(max_digits=16, decimal_places=10, null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("tenant", "key"), name="verdict_once"),
            # Nothing missing is ever a score.
            models.CheckConstraint(
                condition=models.Q(error="", score__isnull=False)
                | (~models.Q(error="") & models.Q(score__isnull=True)),
                name="verdict_score_or_error",
            ),
        )

    def __str__(self) -> str:
        return self.error or f"{self.score:g}"

"""Judges and rubrics: who grades, by what, what it took, and how it did on built-in questions."""

from django.db import models

from jobs.models import Job
from tenants.isolation import TenantForeignKey, TenantOneToOneField
from tenants.models import TenantModel, User


class JudgeKind(models.TextChoices):
    """Where a judge's language model runs."""

    OPENAI = "openai", "OpenAI-compatible server"
    BEDROCK = "bedrock", "Amazon Bedrock"
    GATEWAY = "gateway", "Model on this site"


class Judge(TenantModel):
    """A language model that an organisation has grade answers. `version` counts changes of what it computes."""

    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=16, choices=JudgeKind)
    model = models.CharField(max_length=200)
    address = models.CharField(max_length=300, blank=True)
    region = models.CharField(max_length=32, blank=True)
    api_version = models.CharField(max_length=32, blank=True)
    temperature = models.FloatField(default=0.0)
    samples = models.PositiveSmallIntegerField(default=3)
    price_in = models.DecimalField(max_digits=10, decimal_places=4, null=True, blank=True)
    price_out = models.DecimalField(max_digits=10, decimal_places=4, null=True, blank=True)
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    is_tested_automatically = models.BooleanField(
        default=True, db_default=True, help_text="Whether tests start by themselves: after a change, and each month."
    )
    sealed_secret = models.TextField(blank=True, editable=False)
    secret_host = models.CharField(max_length=300, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (models.UniqueConstraint(fields=("tenant", "name"), name="judge_once"),)

    def __str__(self) -> str:
        return self.name

    @property
    def has_secret(self) -> bool:
        return bool(self.sealed_secret)


class CallPurpose(models.TextChoices):
    """What a judge's model was called for."""

    JUDGING = "judging", "Judging"
    ANSWERING = "answering", "Outside models"
    TESTING = "testing", "Testing judges"
    ROUTING = "routing", "Routing requests"


class PaidTo(models.TextChoices):
    """Who charges for calls: the site for its own judges, a provider for an organisation's.

    Calls of a model on this site cost what serving it costs.
    """

    SITE = "site", "This site"
    PROVIDER = "provider", "Your provider"
    SERVING = "serving", "In Serving"


class JudgeUsage(TenantModel):
    """What calls of one judge took in an hour (UTC), also those that failed. Only ever added to.

    `judge_key` is the judge's id, or the alias of a shared one; no key to its row, since usage outlives it. Tokens are
    those that servers reported, `usd` the cost of calls whose cost is known. Each of the other calls is either one
    without a price, or one whose server reported no tokens.
    """

    hour = models.DateTimeField()
    purpose = models.CharField(max_length=16, choices=CallPurpose)
    paid_to = models.CharField(max_length=16, choices=PaidTo)
    judge_key = models.CharField(max_length=40)
    judge_name = models.CharField(max_length=80, help_text="as it was then")
    calls = models.PositiveBigIntegerField(default=0)
    calls_without_price = models.PositiveBigIntegerField(default=0)
    calls_without_tokens = models.PositiveBigIntegerField(default=0)
    tokens_in = models.PositiveBigIntegerField(default=0)
    tokens_out = models.PositiveBigIntegerField(default=0)
    usd = models.DecimalField(max_digits=20, decimal_places=10, default=0)
    price_source = models.CharField(
        max_length=200, blank=True, default="", db_default="", help_text="of the price of a token; empty: not known"
    )

    class Meta:
        ordering = ("-hour",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "hour", "purpose", "paid_to", "judge_key", "judge_name", "price_source"),
                name="judge_usage_once_each_price",
            ),
        )

    def __str__(self) -> str:
        return f"{self.judge_name} {self.hour:%Y-%m-%d %H}h"


class Rubric(TenantModel):
    """What answers are graded by. Its newest version counts; older ones stay for the grades given by them."""

    name = models.CharField(max_length=80)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", editable=False)

    class Meta:
        ordering = ("-created_at",)
        constraints = (models.UniqueConstraint(fields=("tenant", "name"), name="rubric_once"),)

    def __str__(self) -> str:
        return self.name


class RubricVersion(TenantModel):
    """A rubric as it was at one time; never changed."""

    rubric = TenantForeignKey(Rubric, models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    document = models.JSONField(help_text="as evaluations.rubrics.document.RubricDocument.to_dict gives it")
    sha256 = models.CharField(max_length=64)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", editable=False)

    class Meta:
        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=("tenant", "rubric", "number"), name="rubric_version_once"),)

    def __str__(self) -> str:
        return f"{self.rubric} v{self.number}"


class QualificationState(models.TextChoices):
    """Incomplete: it ended with too few verdicts to conclude anything."""

    RUNNING = "running", "Running"
    READY = "ready", "Ready"
    INCOMPLETE = "incomplete", "Incomplete"
    FAILED = "failed", "Failed"
    STOPPED = "stopped", "Stopped"


class Qualification(TenantModel):
    """A judge tried on built-in questions whose grades are known. Never changed once it has ended.

    Of an organisation's own judge, or of the shared one named `alias`.
    """

    judge = TenantForeignKey(
        Judge, models.CASCADE, null=True, blank=True, related_name="qualifications", db_index=False
    )
    alias = models.CharField(max_length=40, blank=True)
    judge_version = models.PositiveIntegerField(default=1)
    fingerprint = models.CharField(max_length=64, help_text="Of what the judge computed.")
    job = TenantOneToOneField(Job, models.PROTECT, related_name="qualification")
    state = models.CharField(max_length=16, choices=QualificationState, default=QualificationState.RUNNING)
    progress = models.JSONField(default=dict, help_text="as evaluations.judging.steps keeps it")
    figures = models.JSONField(default=dict, help_text="as evaluations.qualification.figures.Figures.to_dict gives it")
    examples = models.JSONField(default=list, help_text="the grades that are furthest off, worst first")
    cost = models.JSONField(default=dict, help_text="{calls, tokens_in, tokens_out, usd}; null where not known")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "judge"),
                name="qualification_running_once",
                condition=models.Q(state=QualificationState.RUNNING),
            ),
            models.UniqueConstraint(
                fields=("tenant", "alias"),
                name="qualification_of_shared_once",
                condition=models.Q(state=QualificationState.RUNNING, judge=None),
            ),
            models.CheckConstraint(
                condition=models.Q(judge=None) ^ models.Q(alias=""), name="qualification_of_one_judge"
            ),
        )
        indexes = (models.Index(fields=("tenant", "judge", "-created_at"), name="qualification_newest"),)

    def __str__(self) -> str:
        return f"{self.judge or self.alias}, version {self.judge_version}"

    @property
    def ended(self) -> bool:
        """Whether it has figures."""
        return self.state in (QualificationState.READY, QualificationState.INCOMPLETE)

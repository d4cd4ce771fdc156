"""Licences: whether a judge's grades may stand beside experts', and why."""

from django.db import models

from evaluations.models.judges import Judge, RubricVersion
from evaluations.models.runs import Answer
from jobs.models import Job
from tenants.isolation import TenantForeignKey, TenantOneToOneField
from tenants.models import TenantModel, User


class LicenceState(models.TextChoices):
    """Only a licensed judge's grades count in a decision. A suspended one had a licence and lost it."""

    PROVISIONAL = "provisional", "Provisional"
    LICENSED = "licensed", "Licensed"
    SUSPENDED = "suspended", "Suspended"
    REFUSED = "refused", "Not licensed"


COLOURS = {
    LicenceState.PROVISIONAL: "orange",
    LicenceState.LICENSED: "green",
    LicenceState.SUSPENDED: "red",
    LicenceState.REFUSED: "grey",
}


class Licence(TenantModel):
    """What a judge, or a jury as a whole, is worth by one rubric. Worked out anew from what experts graded.

    `fingerprint` is the judge's own (with its prompts), or that of a jury's judges together. A judge or rubric that
    changes is another licence. Without a rubric, answers are graded by whether they are correct.
    """

    fingerprint = models.CharField(max_length=64)
    judges = models.JSONField(help_text="[{id or alias, name, fingerprint, is_llm}] as a judging records them")
    judge = TenantForeignKey(
        Judge, models.SET_NULL, null=True, blank=True, related_name="licences", help_text="null for shared ones, juries"
    )
    alias = models.CharField(max_length=40, blank=True, help_text="of a judge that the site offers")
    rubric_version = TenantForeignKey(RubricVersion, models.PROTECT, null=True, blank=True, related_name="licences")
    state = models.CharField(max_length=16, choices=LicenceState, default=LicenceState.PROVISIONAL)
    reason = models.TextField(help_text="a sentence for people")
    labels = models.PositiveIntegerField(default=0, help_text="answers that experts graded by the same rubric")
    figures = models.JSONField(default=dict, help_text="as evaluations.licences.findings makes them")
    map = models.JSONField(default=dict, help_text="{scores, grades}: from the judge’s score to the experts’ grade")
    residuals = models.JSONField(default=list, help_text="of the baseline: experts’ grade less the judge’s, mapped")
    alarm_at = models.FloatField(null=True, blank=True, help_text="cumulative sum of residuals that suspends it")
    counts_from = models.DateTimeField(
        null=True, blank=True, help_text="Labels of rounds made earlier do not count; set when it is begun anew."
    )
    assessed_at = models.DateTimeField()

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(
                fields=("tenant", "fingerprint", "rubric_version"), name="licence_once", nulls_distinct=False
            ),
        )

    def __str__(self) -> str:
        names = ", ".join(judge["name"] for judge in self.judges)
        return f"{names} by {self.rubric_version}" if self.rubric_version_id else names

    @property
    def colour(self) -> str:
        return COLOURS[LicenceState(self.state)]

    @property
    def is_aligned(self) -> bool:
        """Whether any of the judges was shown examples from experts."""
        return any("alignment" in judge for judge in self.judges)

    @property
    def is_jury(self) -> bool:
        return len(self.judges) > 1


class LicenceChange(TenantModel):
    """A licence's state from `created_at` on, and why. Without `by`, the site found it by itself."""

    licence = TenantForeignKey(Licence, models.CASCADE, related_name="changes", db_index=False)
    before = models.CharField(max_length=16, choices=LicenceState, blank=True)
    state = models.CharField(max_length=16, choices=LicenceState)
    reason = models.TextField()
    labels = models.PositiveIntegerField(default=0)
    by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("-created_at",)
        indexes = (models.Index(fields=("licence", "-created_at"), name="licence_change_newest"),)

    def __str__(self) -> str:
        return f"{self.get_state_display()}: {self.reason}"

    @property
    def colour(self) -> str:
        return COLOURS[LicenceState(self.state)]


class FrozenRow(TenantModel):
    """An answer that a licensed judge grades again every night; `score` is its grade when the licence was given."""

    licence = TenantForeignKey(Licence, models.CASCADE, related_name="frozen_rows", db_index=False)
    answer = TenantForeignKey(Answer, models.CASCADE, related_name="+")
    score = models.FloatField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tenant", "licence", "answer"), name="frozen_row_once"),)

    def __str__(self) -> str:
        return f"{self.score:.1f} of 5"


class Rejudging(TenantModel):
    """The frozen rows judged again: `shift` is the mean of the new grade less the first one's, with its 95% interval.

    All null until it has ended, and if too few rows got a grade.
    """

    licence = TenantForeignKey(Licence, models.CASCADE, related_name="rejudgings", db_index=False)
    day = models.DateField()
    job = TenantOneToOneField(Job, models.PROTECT, null=True, blank=True, related_name="rejudging")
    progress = models.JSONField(default=dict, help_text="as evaluations.judging.steps keeps it")
    rows = models.PositiveSmallIntegerField(default=0, help_text="that got a grade again")
    shift = models.FloatField(null=True, blank=True)
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    usage = models.JSONField(default=dict, help_text="{calls, tokens_in, tokens_out, cost_usd}")

    class Meta:
        ordering = ("-day",)
        constraints = (models.UniqueConstraint(fields=("tenant", "licence", "day"), name="rejudging_once"),)

    def __str__(self) -> str:
        return "no grades" if self.shift is None else f"{self.shift:+.2f}"

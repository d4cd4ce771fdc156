"""Policies of adapters, and decisions about versions."""

from django.db import models

from adapters.models import Adapter, AdapterVersion
from evaluations.models.reviews import ReviewRound
from evaluations.models.runs import EvaluationRun
from tenants.isolation import TenantForeignKey
from tenants.models import TenantModel, User


class GatePolicy(TenantModel):
    """What an adapter's versions need before they are promoted, as it was at one time; never changed.

    The newest counts for decisions that are opened from then on.
    """

    adapter = TenantForeignKey(Adapter, models.CASCADE, related_name="gate_policies", db_index=False)
    number = models.PositiveIntegerField()
    document = models.JSONField(help_text="as lorakit.gates.policy.Policy.to_dict gives it")
    sha256 = models.CharField(max_length=64)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", editable=False)

    class Meta:
        ordering = ("-number",)
        constraints = (models.UniqueConstraint(fields=("tenant", "adapter", "number"), name="gate_policy_once"),)

    def __str__(self) -> str:
        return f"Policy {self.number} of {self.adapter}"


class DecisionState(models.TextChoices):
    """An open decision's verdict is computed whenever it is asked for; that of a closed one never changes.

    A decision opened by a promotion is replaced when there is newer evidence.
    """

    OPEN = "open", "Open"
    PROMOTED = "promoted", "Promoted"
    OVERRIDDEN = "overridden", "Overridden"
    REJECTED = "rejected", "Rejected"
    REPLACED = "replaced", "Replaced"


CLEARED = (DecisionState.PROMOTED, DecisionState.OVERRIDDEN)
"""States of versions that may be promoted."""


class Decision(TenantModel):
    """Whether a version may take the place of what was live. What it rests on is fixed when it is opened."""

    version = TenantForeignKey(AdapterVersion, models.CASCADE, related_name="decisions", db_index=False)
    number = models.PositiveIntegerField(help_text="1, 2, … of the version")
    against = TenantForeignKey(
        AdapterVersion, models.SET_NULL, null=True, blank=True, related_name="+", help_text="live when it was opened"
    )
    run = TenantForeignKey(EvaluationRun, models.CASCADE, related_name="decisions")
    policy = TenantForeignKey(
        GatePolicy, models.PROTECT, null=True, blank=True, related_name="decisions", help_text="null for the default"
    )
    document = models.JSONField(help_text="of the policy")
    round = TenantForeignKey(
        ReviewRound, models.RESTRICT, null=True, blank=True, related_name="decisions", help_text="of experts’ reviews"
    )
    leaked = models.JSONField(
        null=True, help_text="positions of test rows that the version was trained on, or much like; null: not known"
    )
    leaves_out_leaks = models.BooleanField(default=True)
    attempt = models.PositiveSmallIntegerField(default=1, help_text="decisions with a round of their own, so far")
    control = models.JSONField(null=True, help_text="{weight, scores, grades}: the judge as control variate, if used")
    is_automatic = models.BooleanField(default=False, help_text="Whether a promotion opened it.")
    state = models.CharField(max_length=12, choices=DecisionState, default=DecisionState.OPEN)
    reason = models.TextField(blank=True)
    verdict = models.JSONField(
        default=dict,
        help_text="of a closed one: {state, outcomes, evidence_sha256, versions, approved_by, judging, licence}",
    )
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    closed_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", editable=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", editable=False)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint(fields=("tenant", "version", "number"), name="decision_once"),
            models.UniqueConstraint(
                fields=("tenant", "version"),
                name="decision_open_once",
                condition=models.Q(state=DecisionState.OPEN),
            ),
        )

    def __str__(self) -> str:
        return f"Decision {self.number} about {self.version}"

    @property
    def is_open(self) -> bool:
        return self.state == DecisionState.OPEN


class Approval(TenantModel):
    """A person who approves of a decision's version."""

    decision = TenantForeignKey(Decision, models.CASCADE, related_name="approvals", db_index=False)
    person = models.ForeignKey(User, models.CASCADE, related_name="+")
    comment = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("created_at",)
        constraints = (models.UniqueConstraint(fields=("tenant", "decision", "person"), name="approval_once"),)

    def __str__(self) -> str:
        return f"{self.person}"

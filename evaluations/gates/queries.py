"""Reads of decisions, for the active tenant."""

from uuid import UUID

from django.db.models import Prefetch, QuerySet

from adapters.models import AdapterVersion
from evaluations.models import Approval, Decision
from rest.errors import NotFound

LARGE = (
    "version__manifest",
    "against__manifest",
    "run__summary",
    "run__dataset_version__profile",
    "run__dataset_version__problems",
)


def decisions() -> QuerySet[Decision]:
    """Newest first, with what pages and REST show."""
    related = (
        "version__adapter",
        "version__run",
        "against",
        "run__dataset_version__dataset",
        "policy",
        "round",
        "closed_by",
        "created_by",
    )
    approvals = Prefetch("approvals", Approval.objects.select_related("person"))
    return Decision.objects.select_related(*related).prefetch_related(approvals, "run__judgings").defer(*LARGE)


def decision_named(decision_id: UUID) -> Decision:
    """Raises NotFound."""
    found = decisions().filter(id=decision_id).first()
    if found is None:
        raise NotFound("Decision not found.")
    return found


def newest_decision(version: AdapterVersion) -> Decision | None:
    """The decision about a version that counts: its last."""
    return decisions().filter(version=version).first()

"""Held-out rows to try in the playground."""

from uuid import UUID

from adapters.models import AdapterVersion
from evaluations.models import EvaluationItem
from evaluations.runs.queries import latest_ready

EXAMPLES = 5


def example_items(version: AdapterVersion) -> list[EvaluationItem]:
    """A few held-out rows of the version's evaluation, to try in the playground."""
    run = latest_ready(version)
    return list(EvaluationItem.objects.filter(run=run).order_by("position")[:EXAMPLES]) if run else []


def example_named(item_id: UUID | None, version: AdapterVersion) -> EvaluationItem | None:
    """One held-out row of this version, None where there is no such row."""
    if item_id is None:
        return None
    return EvaluationItem.objects.filter(id=item_id, run__version=version).first()

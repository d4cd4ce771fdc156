"""Held-out rows to try in the playground."""

from uuid import UUID

from adapters.models import AdapterVersion
from evaluations.models import EvaluationItem
from evaluations.runs.queries import MOST_READ, latest_ready

EXAMPLES = 5


def example_items(version: AdapterVersion) -> list[EvaluationItem]:
    """A few held-out rows of the version's evaluation, to try in the playground. It has no tools."""
    run = latest_ready(version)
    if run is None:
        return []
    items = EvaluationItem.objects.filter(run=run, tools=[]).order_by("position")[:MOST_READ]
    return [item for item in items if item.is_plain][:EXAMPLES]


def example_named(item_id: UUID | None, version: AdapterVersion) -> EvaluationItem | None:
    """One held-out row of this version, None where there is no such row, or where it uses tools."""
    if item_id is None:
        return None
    found = EvaluationItem.objects.filter(id=item_id, run__version=version).first()
    return found if found is not None and found.is_plain else None

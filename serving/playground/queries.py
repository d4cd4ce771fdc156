"""Adapters to ask in the playground, and held-out rows to try."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from django.db.models import Case, Value, When

from adapters.models import AdapterVersion
from evaluations.models import EvaluationItem
from evaluations.runs.queries import MOST_READ, latest_ready
from serving.models import Route
from serving.promotions.queries import live_routes

OFFERED = 50
"""Adapters to choose from in the form: more are slow to draw and hard to find one in."""
EXAMPLES = 5


class Offered(NamedTuple):
    """A live adapter to choose: its alias and the number of its live version."""

    alias: str
    number: int


def adapters_to_ask(part: str = "", *, used: Sequence[str] = (), chosen: Route | None = None) -> list[Offered]:
    """Live adapters whose alias contains `part`: those of the routes in `used` first, then those live last.

    At most `OFFERED`, and `chosen` in any case.
    """
    places = [When(id=route_id, then=Value(place)) for place, route_id in enumerate(used)]
    rank = [Case(*places, default=Value(len(places)))] if places else []
    routes = live_routes(part).order_by(*rank, "-switched_at", "alias")
    offered = [Offered(*row) for row in routes.values_list("alias", "active__version__number")[:OFFERED]]
    if chosen is not None and all(adapter.alias != chosen.alias for adapter in offered):
        offered.insert(0, Offered(chosen.alias, chosen.active.version.number))
    return offered


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

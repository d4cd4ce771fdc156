"""Reads of routers, for the active tenant."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet, Sum
from django.utils import timezone

from rest.errors import NotFound
from serving.endpoints.queries import places
from serving.models import Route, Router, RouterHits

HITS_DAYS = 7


def routers() -> QuerySet[Router]:
    """By name, without their compiled rules."""
    return Router.objects.defer("compiled").select_related("created_by").order_by("name")


def router_named(router_id: UUID) -> Router:
    """Raises NotFound."""
    found = routers().filter(id=router_id).first()
    if found is None:
        raise NotFound("Router not found.")
    return found


def routers_called(name: str) -> QuerySet[Router]:
    """Of all tenants in scope, with their tenants."""
    return Router.objects.defer("compiled").select_related("tenant").filter(name=name)


def models_to_choose() -> list[str]:
    """Names that a router may send to: live aliases, and base models that serve the tenant."""
    aliases = Route.objects.exclude(active=None).values_list("alias", flat=True)
    return sorted({*aliases, *(place.base_model.name for place in places())})


def hits_of_rules(router: Router) -> dict[str, int]:
    """Requests of the last seven days by the rule's id, and as "classifier" and "default" those that no rule fits."""
    since = timezone.now() - dt.timedelta(days=HITS_DAYS)
    rows = RouterHits.objects.filter(router=router.name, hour__gte=since).values_list("by", "rule")
    hits: dict[str, int] = {}
    for by, rule, requests in rows.annotate(total=Sum("requests")).order_by().values_list("by", "rule", "total"):
        key = rule or by
        hits[key] = hits.get(key, 0) + requests
    return hits


def hits_of_routers(names: Sequence[str]) -> dict[str, int]:
    """Requests of the last seven days by the router's name."""
    since = timezone.now() - dt.timedelta(days=HITS_DAYS)
    rows = RouterHits.objects.filter(router__in=names, hour__gte=since).order_by().values("router")
    return dict(rows.annotate(total=Sum("requests")).values_list("router", "total"))

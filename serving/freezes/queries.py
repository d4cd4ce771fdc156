"""Reads of freeze windows: the active tenant's and the site's."""

import datetime as dt
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from adapters.models import Adapter
from rest.errors import NotFound
from serving.models import Freeze, SiteFreeze


def freezes() -> QuerySet[Freeze]:
    """The tenant's windows, newest first, also those that are over."""
    return Freeze.objects.select_related("adapter", "created_by")


def freeze_named(freeze_id: UUID) -> Freeze:
    """Raises NotFound."""
    found = freezes().filter(id=freeze_id).first()
    if found is None:
        raise NotFound("Freeze window not found.")
    return found


def freezes_not_over(limit: int) -> list[Freeze | SiteFreeze]:
    """Up to `limit` windows of the tenant and as many of the site that are open or to come, by their beginning."""
    now = timezone.now()
    own = freezes().filter(ends_at__gt=now).order_by("starts_at")[:limit]
    site = SiteFreeze.objects.filter(ends_at__gt=now).order_by("starts_at")[:limit]
    return sorted([*own, *site], key=lambda freeze: freeze.starts_at)


def freeze_at(adapter: Adapter, moment: dt.datetime) -> Freeze | SiteFreeze | None:
    """The window that is open for the adapter at a moment; of several, the one that ends last."""
    is_open = Q(starts_at__lte=moment, ends_at__gt=moment)
    own = freezes().filter(is_open, Q(adapter=None) | Q(adapter=adapter))
    found: list[Freeze | SiteFreeze] = [*own, *SiteFreeze.objects.filter(is_open)]
    return max(found, key=lambda freeze: freeze.ends_at, default=None)

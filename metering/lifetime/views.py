"""The page of what each version has cost, what sharing saves, and what to do next."""

import datetime as dt

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from metering.lifetime.advice import RECENT
from metering.lifetime.costs import lives
from metering.lifetime.live import advice_by_version
from metering.lifetime.savings import saving
from metering.usage.queries import Slice
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

LINES_ON_A_PAGE = 25


@require_safe
@members_only(Action.USAGE_VIEW)
def adapters(request: TenantRequest) -> HttpResponse:
    """Versions by what they have cost, the dearest first; live ones with advice."""
    now = timezone.now()
    found, advice = lives(), advice_by_version()
    page = Paginator(found.versions, LINES_ON_A_PAGE).get_page(request.GET.get("page"))
    live = [life.version for life in found.versions if life.version.id in advice]
    context = {
        "lives": found,
        "lines": [(life, life.version.id in advice) for life in page],
        "suggestions": [(version, advice[version.id]) for version in live if advice[version.id].acts],
        "page_obj": page,
        "saving": saving(Slice.touching(now - RECENT, now)),
        "recent_days": RECENT // dt.timedelta(days=1),
    }
    return render(request, "metering/lifetime/adapters.html", context)

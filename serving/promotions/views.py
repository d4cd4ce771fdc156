"""Pages of serving: the endpoint, promoting and rolling back."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from adapters.versions.queries import version_named
from rest.errors import PortalError
from serving.endpoints.queries import backend_of, deployments, places
from serving.freezes.queries import freezes_not_over
from serving.promotions.forms import AT_ONCE, PromoteForm
from serving.promotions.panels import promotion_panel
from serving.promotions.queries import live_routes, promotions, route_named, running_promotions
from serving.promotions.services import promote_version, try_version
from serving.promotions.services import roll_back as roll_back_route
from serving.trials.queries import trials
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

ROUTES_ON_A_PAGE = 25
SHOWN = 20


@require_safe
@transaction.non_atomic_requests
@members_only(Action.ENDPOINT_VIEW)
def endpoint(request: TenantRequest) -> HttpResponse:
    """Live adapters, the latest deployments and promotions. `?q=` filters live adapters by a part of the model ID."""
    search = request.GET.get("q", "").replace("\0", "").strip()[:60]
    page = Paginator(live_routes(search), ROUTES_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "sites": [(site, backend_of(site).health()) for site in places()],
        "page_obj": page,
        "q": search,
        "deployments": deployments().defer("version__manifest")[:SHOWN],
        "promotions": promotions().defer("version__manifest", "job__spec", "job__result")[:SHOWN],
        "trials": trials()[:SHOWN],
        "freezes": freezes_not_over(SHOWN),
        "changing": running_promotions().exists(),
        "gateway_url": f"{settings.GATEWAY_URL.rstrip('/')}/v1",
    }
    return render(request, "serving/promotions/endpoint.html", context)


@require_POST
@transaction.non_atomic_requests
@members_only(Action.VERSIONS_PROMOTE)
def promote(request: TenantRequest, version_id: UUID) -> HttpResponse:
    """Start or schedule a promotion, or a test, and show how it goes on the version's page or what it still needs."""
    version, form = version_named(version_id), PromoteForm({"how": AT_ONCE, **request.POST.dict()})
    panel = f"{reverse('adapters:version', args=[version.id])}#promotion"
    if not form.is_valid():
        messages.error(request, " ".join(str(text) for texts in form.errors.values() for text in texts))
        return redirect(panel)
    try:
        wanted: dict[str, Any] = {"tenant": request.tenant, "version": version, "judging": form.judging}
        wanted["created_by"] = request.membership.user
        if form.plan is None or form.is_promotion:
            promote_version(**wanted, canary=form.plan, not_before=form.moment)
        else:
            try_version(**wanted, plan=form.plan)
    except PortalError as error:
        if error.field == "not_before":
            messages.error(request, error.text)
            return redirect(panel)
        if "url" not in error.extra:
            raise
        messages.error(request, error.text)
        return redirect(str(error.extra["url"]))
    return redirect(panel)


@require_safe
@members_only(Action.ADAPTERS_VIEW)
def standing(request: TenantRequest, version_id: UUID) -> HttpResponse:
    """The part of a version's page that changes while a promotion runs."""
    panel = promotion_panel(version_named(version_id))
    return render(request, panel.template, dict(panel.context))


@require_POST
@members_only(Action.VERSIONS_PROMOTE)
def roll_back(request: TenantRequest, route_id: UUID) -> HttpResponse:
    """Let the previous version answer again, and show the endpoint, where a job's progress and result stand."""
    promotion = roll_back_route(tenant=request.tenant, route=route_named(route_id), created_by=request.membership.user)
    if promotion.job_id is None:
        messages.success(request, f"Rolled back to {promotion.version}.")
    return redirect("serving:endpoint")

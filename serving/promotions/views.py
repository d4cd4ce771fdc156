"""Pages of serving: the endpoint, promoting and rolling back."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from adapters.versions.queries import version_named
from serving.backends import endpoints
from serving.endpoints.queries import deployments, endpoints_by_name
from serving.promotions.queries import live_routes, promotions, route_named, running_promotions
from serving.promotions.services import promote_version
from serving.promotions.services import roll_back as roll_back_route
from tenants.access import WRITERS, members_only
from tenants.requests import TenantRequest

SHOWN = 20


@require_safe
@transaction.non_atomic_requests
@members_only(roles=WRITERS)
def endpoint(request: TenantRequest) -> HttpResponse:
    """Live adapters, deployments and the history of promotions."""
    context = {
        "sites": [(site, endpoints[site.backend].health()) for site in endpoints_by_name()],
        "routes": live_routes(),
        "deployments": deployments()[:SHOWN],
        "promotions": promotions()[:SHOWN],
        "changing": running_promotions().exists(),
        "gateway_url": f"{settings.GATEWAY_URL.rstrip('/')}/v1",
    }
    return render(request, "serving/promotions/endpoint.html", context)


@require_POST
@members_only(roles=WRITERS)
def promote(request: TenantRequest, version_id: UUID) -> HttpResponse:
    """Start a promotion and show its job."""
    promotion = promote_version(
        tenant=request.tenant, version=version_named(version_id), created_by=request.membership.user
    )
    return redirect("jobs:detail", promotion.job_id)


@require_POST
@members_only(roles=WRITERS)
def roll_back(request: TenantRequest, route_id: UUID) -> HttpResponse:
    """Let the previous version answer again."""
    promotion = roll_back_route(tenant=request.tenant, route=route_named(route_id), created_by=request.membership.user)
    if promotion.job_id:
        return redirect("jobs:detail", promotion.job_id)
    messages.success(request, f"{promotion.version} is live again.")
    return redirect("serving:endpoint")

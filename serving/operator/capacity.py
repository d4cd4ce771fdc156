"""The operator's page of an endpoint's capacity. It may ask the endpoint, so it runs outside a transaction."""

from statistics import median
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from rest.errors import NotFound, PortalError
from serving.backends.residency import Residency
from serving.capacity.asked import can_recommend
from serving.capacity.charts import memory_figure
from serving.capacity.forms import PinForm, RecommendationForm, WishForm
from serving.capacity.questions import answer_to
from serving.capacity.services import pin_deployment, start_recommendation, unpin_deployment
from serving.capacity.texts import (
    compared,
    comparison,
    errors_text,
    figures,
    memory_text,
    options_of,
    parts,
    remedies,
    verdict_text,
)
from serving.capacity.twins import HeldAdapter, Twin, residency_of, twin_of
from serving.endpoints.queries import EndpointNotSetUp
from serving.operator.queries import ON_A_PAGE, deployment_on, endpoint_of, predictions_on
from tenants.access import operators_only
from tenants.audit.actor import acting_as, operator
from tenants.scope import tenant_scope

USUAL_RANK = 16
USUAL_AN_HOUR = 10.0


@require_safe
@transaction.non_atomic_requests
@operators_only
def capacity(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Memory, adapters with their tiers, and what `?adapters=&rank=&an_hour=` more would change."""
    found = endpoint_of(endpoint_id)
    context: dict[str, Any] = {"endpoint": found}
    try:
        twin = twin_of(found)
    except (EndpointNotSetUp, ValueError) as error:
        context["problem"] = str(error)
    else:
        context |= _shown(request, twin, residency_of(found)) if twin else {}
    return render(request, "serving/operator/capacity.html", context)


@require_POST
@operators_only
def pin(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Pin an adapter to a slot, or let it take turns again, as the operator, in its tenant's scope."""
    found, form = endpoint_of(endpoint_id), PinForm(request.POST)
    if not form.is_valid():
        raise NotFound("This adapter is not on the endpoint.")
    deployment = deployment_on(found, form.cleaned_data["deployment"])
    is_pinned = form.cleaned_data["pinned"]
    try:
        with tenant_scope(deployment.tenant_id), acting_as(operator(request.user)):
            (pin_deployment if is_pinned else unpin_deployment)(deployment=deployment)
    except PortalError as error:
        messages.error(request, error.text)
    else:
        what = "keeps its slot from now on" if is_pinned else "takes turns with the others again"
        messages.success(request, f"{deployment.version} {what}.")
    return redirect("operator:capacity", found.id)


@require_POST
@transaction.non_atomic_requests
@operators_only
def recommend(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Have AWS try which instances the endpoint needs."""
    found, form = endpoint_of(endpoint_id), RecommendationForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(text) for texts in form.errors.values() for text in texts))
        return redirect("operator:capacity", found.id)
    try:
        start_recommendation(endpoint=found, goal=form.cleaned_data["goal"], machines=form.cleaned_data["machines"])
    except PortalError as error:
        messages.error(request, error.text)
    else:
        messages.success(request, "AWS tries it now, which takes minutes to hours.")
    return redirect("operator:capacity", found.id)


def _shown(request: HttpRequest, twin: Twin, residency: Residency | None) -> dict[str, Any]:
    busiest_first = sorted(twin.adapters, key=lambda adapter: -adapter.rate)
    page = Paginator([(one, _place(one, residency)) for one in busiest_first], ON_A_PAGE).get_page(
        request.GET.get("page")
    )
    form = WishForm(request.GET if "rank" in request.GET else None, rank=_usual_rank(twin), an_hour=_usual_rate(twin))
    recommendation = twin.endpoint.recommendations.first()
    predictions = predictions_on(twin.endpoint)
    answer = answer_to(twin, form.wish) if form.is_bound and form.is_valid() else None
    return {
        "twin": twin,
        "residency": residency,
        "figures": list(figures(twin, residency)),
        "figure": memory_figure(twin.plan),
        "parts": list(parts(twin, residency)),
        "memory": memory_text(twin),
        "remedies": remedies(twin),
        "page_obj": page,
        "predictions": list(compared(predictions)),
        "errors": errors_text(predictions),
        "recommendation_form": RecommendationForm() if can_recommend(twin.endpoint) else None,
        "recommendation": recommendation,
        "options": list(options_of(twin, recommendation)) if recommendation else [],
        "form": form,
        "answer": answer,
        "verdict": verdict_text(twin, answer) if answer else "",
        "comparison": list(comparison(answer)) if answer else [],
    }


def _place(adapter: HeldAdapter, residency: Residency | None) -> str:
    """Where an engine that says so has it now: "gpu", "cpu", or "" for neither."""
    found = residency.adapters.get(adapter.deployment.name) if residency else None
    return found.level if found else ""


def _usual_rank(twin: Twin) -> int:
    """That of most adapters here."""
    ranks = [adapter.deployment.version.rank for adapter in twin.adapters]
    return max(set(ranks), key=ranks.count) if ranks else min(USUAL_RANK, twin.setup.max_rank)


def _usual_rate(twin: Twin) -> float:
    """Requests an hour of a usual adapter here."""
    asked = [adapter.an_hour for adapter in twin.adapters if adapter.rate]
    return round(median(asked), 1) if asked else USUAL_AN_HOUR

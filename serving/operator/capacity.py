"""The operator's page of an endpoint's capacity. It may ask the endpoint, so it runs outside a transaction."""

from statistics import median
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from serving.capacity.charts import memory_figure
from serving.capacity.forms import WishForm
from serving.capacity.questions import answer_to
from serving.capacity.texts import comparison, figures, memory_text, parts, remedies, verdict_text
from serving.capacity.twins import Twin, twin_of
from serving.endpoints.queries import EndpointNotSetUp
from serving.operator.queries import ON_A_PAGE, endpoint_of
from tenants.access import operators_only

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
        context |= _shown(request, twin) if twin else {}
    return render(request, "serving/operator/capacity.html", context)


def _shown(request: HttpRequest, twin: Twin) -> dict[str, Any]:
    busiest_first = sorted(twin.adapters, key=lambda adapter: -adapter.rate)
    form = WishForm(request.GET if "rank" in request.GET else None, rank=_usual_rank(twin), an_hour=_usual_rate(twin))
    answer = answer_to(twin, form.wish) if form.is_bound and form.is_valid() else None
    return {
        "twin": twin,
        "figures": list(figures(twin)),
        "figure": memory_figure(twin.plan),
        "parts": list(parts(twin)),
        "memory": memory_text(twin),
        "remedies": remedies(twin),
        "page_obj": Paginator(busiest_first, ON_A_PAGE).get_page(request.GET.get("page")),
        "form": form,
        "answer": answer,
        "verdict": verdict_text(twin, answer) if answer else "",
        "comparison": list(comparison(answer)) if answer else [],
    }


def _usual_rank(twin: Twin) -> int:
    """That of most adapters here."""
    ranks = [adapter.deployment.version.rank for adapter in twin.adapters]
    return max(set(ranks), key=ranks.count) if ranks else min(USUAL_RANK, twin.setup.max_rank)


def _usual_rate(twin: Twin) -> float:
    """Requests an hour of a usual adapter here."""
    asked = [adapter.an_hour for adapter in twin.adapters if adapter.rate]
    return round(median(asked), 1) if asked else USUAL_AN_HOUR

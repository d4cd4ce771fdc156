"""The page of a trial."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from serving.trials.queries import trial_named
from serving.trials.report import report_of
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest

COPIES_SHOWN = 20


@require_safe
@members_only(Action.ENDPOINT_VIEW)
def trial(request: TenantRequest, trial_id: UUID) -> HttpResponse:
    """What a canary or an A/B test shows so far, or showed in the end."""
    found = trial_named(trial_id)
    context = {
        "trial": found,
        "report": report_of(found),
        "copied": found.copies.count(),
        "copies": found.copies.order_by("-created_at")[:COPIES_SHOWN],
        "live_title": f"v{found.live.version.number}",
        "candidate_title": f"v{found.candidate.version.number}",
    }
    return render(request, "serving/trials/trial.html", context)

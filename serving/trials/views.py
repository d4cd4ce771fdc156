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


@require_safe
@members_only(Action.ENDPOINT_VIEW)
def trial(request: TenantRequest, trial_id: UUID) -> HttpResponse:
    """What a canary or an A/B test shows so far, or showed in the end."""
    found = trial_named(trial_id)
    return render(request, "serving/trials/trial.html", {"trial": found, "report": report_of(found)})

"""The page of agreement in one evaluation."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from evaluations.agreement.charts import calibration_figure
from evaluations.agreement.report import reports_of
from evaluations.runs.queries import runs
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest


@require_safe
@members_only(Action.EVALUATIONS_VIEW)
def agreement(request: TenantRequest, run_id: UUID) -> HttpResponse:
    """Experts among each other, and judges against experts, for each round."""
    run = get_object_or_404(runs(), pk=run_id)
    rounds = [
        (report, [(one, calibration_figure(one.found.levels) if one.found else None) for one in report.judges])
        for report in reports_of(run)
    ]
    return render(request, "evaluations/agreement/agreement.html", {"run": run, "rounds": rounds})

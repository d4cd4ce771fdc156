"""Add a freeze window, and end one. The endpoint's page lists them."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from rest.errors import PortalError
from serving.freezes.forms import FreezeForm
from serving.freezes.queries import freeze_named
from serving.freezes.services import add_freeze
from serving.freezes.services import end_freeze as end
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.VERSIONS_PROMOTE)
def new_freeze(request: TenantRequest) -> HttpResponse:
    """The form, and what it adds."""
    form = FreezeForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            add_freeze(tenant=request.tenant, created_by=request.membership.user, **form.cleaned_data)
        except PortalError as error:
            error.show_on(form)
        else:
            messages.success(request, "Freeze window added.")
            return redirect("serving:endpoint")
    return render(request, "serving/freezes/new.html", {"form": form})


@require_POST
@members_only(Action.VERSIONS_PROMOTE)
def end_freeze(request: TenantRequest, freeze_id: UUID) -> HttpResponse:
    """End or cancel a window, and show the endpoint."""
    end(freeze=freeze_named(freeze_id))
    messages.success(request, "Freeze window ended.")
    return redirect("serving:endpoint")

"""The page that starts a training, with what it would take."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from adapters.models import BaseModel, TrainingRun
from adapters.recipes.catalogue import RECIPES
from adapters.training.clones import cloned
from adapters.training.forms import TrainingForm
from adapters.training.previews import Preview, preview_training
from adapters.training.proposals import first_values, followed, proposed_by
from adapters.training.services import start_training
from rest.errors import PortalError
from tenants.access import members_only
from tenants.permissions import Action
from tenants.requests import TenantRequest


@require_http_methods(["GET", "HEAD", "POST"])
@members_only(Action.ADAPTERS_TRAIN)
def train(request: TenantRequest) -> HttpResponse:
    """Show the form, or start the training."""
    form = TrainingForm(request.POST) if request.method == "POST" else TrainingForm(initial=_initial(request))
    if form.is_bound and form.is_valid():
        try:
            run = start_training(
                tenant=request.tenant,
                created_by=request.membership.user,
                evaluate=form.cleaned_data["evaluate"],
                **form.arguments(),
            )
        except PortalError as error:
            error.show_on(form)
        else:
            return redirect("adapters:run", run.id)
    context = {
        "form": form,
        "recipes": RECIPES.values(),
        "has_base_model": BaseModel.objects.exists(),
        "estimate_url": reverse("adapters:estimate"),
        **_preview(shown := form if form.is_bound else TrainingForm(form.initial)),
        **proposed_by(shown),
    }
    return render(request, "adapters/training/train.html", context)


@require_safe
@members_only(Action.ADAPTERS_TRAIN)
def estimate(request: TenantRequest) -> HttpResponse:
    """The estimate beside the form, refreshed after every change.

    What the form itself had filled in follows when another dataset is chosen.
    """
    form, proposed = followed(TrainingForm, request.GET)
    context = {"form": form, "recipes": RECIPES.values(), **proposed}
    return render(request, "adapters/training/_plan.html", context | _preview(form))


def _initial(request: TenantRequest) -> dict[str, Any]:
    """`?clone=` comes from a link too. An id of another tenant is ignored."""
    try:
        source = TrainingRun.objects.filter(id=UUID(request.GET["clone"])).first()
    except (KeyError, ValueError):
        source = None
    if source is not None:
        return cloned(source).as_initial()
    return first_values(request.GET)


def _preview(form: TrainingForm) -> dict[str, Preview | str]:
    """What the form would start, or why it can’t."""
    form.is_valid()
    for name in ("learn", *form.override_names):
        if name in form.errors:
            return {"problem": f"{form.fields[name].label}: {form.errors[name][0]}"}
    try:
        return {"preview": preview_training(**form.arguments())}
    except PortalError as error:
        return {"problem": error.text}

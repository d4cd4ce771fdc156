"""The page that starts a training, with what it would take."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_safe

from adapters.models import BaseModel, TrainingRun
from adapters.recipes.catalogue import RECIPES
from adapters.recipes.suggestion import Suggestion, suggested_for
from adapters.training.clones import cloned
from adapters.training.forms import DEFAULT_RECIPE, TrainingForm
from adapters.training.previews import Preview, preview_training
from adapters.training.services import start_training
from corpora.models import DatasetVersion
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
        "suggestion": _suggestion(shown),
    }
    return render(request, "adapters/training/train.html", context)


@require_safe
@members_only(Action.ADAPTERS_TRAIN)
def estimate(request: TenantRequest) -> HttpResponse:
    """The estimate beside the form, refreshed after every change.

    A recipe that the form itself had chosen follows when another dataset is chosen; a person's own choice stays.
    """
    form = TrainingForm(request.GET)
    values = request.GET.copy()
    suggestion = _suggestion(form)
    suggested = suggestion.recipe.key if suggestion else DEFAULT_RECIPE
    before = values.get("suggested", suggested)
    follows = values.get("recipe") == before != suggested
    if follows:
        values["recipe"] = suggested
        form = TrainingForm(values)
    context = {"form": form, "recipes": RECIPES.values(), "suggestion": suggestion, "follows": follows}
    return render(request, "adapters/training/_plan.html", context | _preview(form))


def _initial(request: TenantRequest) -> dict[str, Any]:
    """`?clone=`, `?dataset=` and `?adapter=` come from links. An id of another tenant is ignored."""
    try:
        source = TrainingRun.objects.filter(id=UUID(request.GET["clone"])).first()
    except (KeyError, ValueError):
        source = None
    if source is not None:
        return cloned(source).as_initial()
    initial: dict[str, Any] = {"recipe": DEFAULT_RECIPE, "adapter": request.GET.get("adapter", "")[:60]}
    try:
        dataset_id = UUID(request.GET["dataset"])
    except (KeyError, ValueError):
        return initial
    chosen = DatasetVersion.objects.select_related("dataset").filter(id=dataset_id).first()
    if chosen is not None:
        initial["dataset_version"] = str(chosen.id)
        if suggestion := suggested_for(chosen.profile):
            initial["recipe"] = suggestion.recipe.key
        initial["adapter"] = initial["adapter"] or slugify(chosen.dataset.name)[:60].strip("-")
    return initial


def _suggestion(form: TrainingForm) -> Suggestion | None:
    """The recipe that fits the dataset chosen in a bound form."""
    form.is_valid()
    chosen: DatasetVersion | None = form.cleaned_data.get("dataset_version")
    return suggested_for(chosen.profile) if chosen is not None else None


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

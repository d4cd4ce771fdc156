"""What a form fills in by the chosen dataset: a recipe and a name for the adapter. A person's own choice stays."""

from contextlib import suppress
from typing import Any, TypeVar
from uuid import UUID

from django.http import QueryDict

from adapters.recipes.suggestion import Suggestion, suggested_for
from adapters.training.forms import DEFAULT_RECIPE, TrainingForm
from adapters.training.services import check_name, name_from
from corpora.models import DatasetVersion
from rest.errors import PortalError

F = TypeVar("F", bound=TrainingForm)


def first_values(query: QueryDict) -> dict[str, Any]:
    """The values of a new form. `?dataset=` and `?adapter=` come from links; an id of another tenant is ignored.

    Without a link the dataset is chosen where there is only one.
    """
    initial: dict[str, Any] = {"recipe": DEFAULT_RECIPE, "adapter": query.get("adapter", "")[:60]}
    chosen = _linked(query.get("dataset", "")) if "dataset" in query else _only_one()
    if chosen is not None:
        initial["dataset_version"] = str(chosen.id)
        if suggestion := suggested_for(chosen.profile):
            initial["recipe"] = suggestion.recipe.key
        initial["adapter"] = initial["adapter"] or _name_after(chosen)
    return initial


def proposed_by(form: TrainingForm) -> dict[str, Suggestion | str | None]:
    """What a bound form's page shows and sends back: the recipe and the name that fit its dataset."""
    form.is_valid()
    chosen: DatasetVersion | None = form.cleaned_data.get("dataset_version")
    if chosen is None:
        return {"suggestion": None, "proposed_name": ""}
    return {"suggestion": suggested_for(chosen.profile), "proposed_name": _name_after(chosen)}


def followed(form_class: type[F], sent: QueryDict) -> tuple[F, dict[str, Any]]:
    """The form, where recipe and name follow a newly chosen dataset if the form had filled them in itself.

    With it comes what its page needs: also `recipe_follows` and `name_follows`, whether these changed.
    """
    form, values = form_class(sent), sent.copy()
    proposed = proposed_by(form)
    recipe = proposed["suggestion"].recipe.key if isinstance(proposed["suggestion"], Suggestion) else DEFAULT_RECIPE
    recipe_before = sent.get("suggested", recipe)
    recipe_follows = sent.get("recipe") == recipe_before != recipe
    if form.cleaned_data.get("dataset_version") is None:
        proposed["proposed_name"] = sent.get("proposed_name", "")
    name = str(proposed["proposed_name"])
    name_before = sent.get("proposed_name", name)
    # A person who clears the field is about to write another name: the dataset is the same, so nothing is filled in.
    name_follows = name_before != name and sent.get("adapter", "").strip() in {"", name_before}
    if recipe_follows:
        values["recipe"] = recipe
    if name_follows:
        values["adapter"] = name
    if recipe_follows or name_follows:
        form = form_class(values)
    return form, proposed | {"recipe_follows": recipe_follows, "name_follows": name_follows}


def _linked(dataset_version: str) -> DatasetVersion | None:
    try:
        wanted = UUID(dataset_version)
    except ValueError:
        return None
    found: DatasetVersion | None = DatasetVersion.objects.select_related("dataset").filter(id=wanted).first()
    return found


def _only_one() -> DatasetVersion | None:
    """The newest version, if all that can be trained on are of one dataset."""
    ready = DatasetVersion.objects.trainable()
    if ready.values("dataset").distinct().count() != 1:
        return None
    newest: DatasetVersion | None = ready.select_related("dataset").order_by("-number").first()
    return newest


def _name_after(dataset_version: DatasetVersion) -> str:
    """A name like the dataset's; empty where that makes no valid one."""
    name = name_from(dataset_version.dataset.name)
    with suppress(PortalError):
        check_name(name)
        return name
    return ""

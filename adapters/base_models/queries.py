"""Reads of base models."""

from django.db.models import QuerySet

from adapters.models import BaseModel
from rest.errors import NotFound


def base_model_named(name: str) -> BaseModel:
    """The base model with this name. Raises NotFound that lists the valid names."""
    found = BaseModel.objects.filter(name=name).first()
    if found is None:
        names = ", ".join(BaseModel.objects.values_list("name", flat=True))
        raise NotFound(f"Base model “{name}” not found. Available: {names}.", field="base_model")
    return found


def base_models_to_choose() -> QuerySet[BaseModel]:
    """All of them; the first is the default of new adapters. Those of real language come before synthetic ones, then
    the one that was added first."""
    return BaseModel.objects.order_by("is_synthetic", "created_at", "name")

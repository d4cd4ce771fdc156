"""Writes to base models."""

from django.db import transaction

from adapters.models import BaseModel


@transaction.atomic
def ensure_base_model(
    *,
    name: str,
    title: str,
    location: str,
    description: str = "",
    sha256: str = "",
    parameters: int = 0,
    context_length: int = 2048,
    is_synthetic: bool = False,
) -> BaseModel:
    """Register the base model `name`, or update it. For the operator."""
    base_model, _ = BaseModel.objects.update_or_create(
        name=name,
        defaults={
            "title": title,
            "location": location,
            "description": description,
            "sha256": sha256,
            "parameters": parameters,
            "context_length": context_length,
            "is_synthetic": is_synthetic,
        },
    )
    return base_model

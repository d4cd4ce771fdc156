"""Writes to endpoints."""

from adapters.models import BaseModel
from serving.models import Endpoint


def ensure_endpoint(*, name: str, backend: str, base_model: BaseModel) -> Endpoint:
    """The endpoint of that name, on the backend and base model given."""
    endpoint, _ = Endpoint.objects.update_or_create(name=name, defaults={"backend": backend, "base_model": base_model})
    return endpoint

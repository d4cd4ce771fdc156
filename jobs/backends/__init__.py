"""Compute backends by alias, like Django's STORAGES: `compute["default"]`."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from jobs.backends.base import ComputeBackend


class ComputeHandler:
    """Builds each backend of the COMPUTE setting once."""

    def __init__(self) -> None:
        self._backends: dict[str, ComputeBackend] = {}

    def __getitem__(self, alias: str) -> ComputeBackend:
        if alias not in self._backends:
            entry: dict[str, Any] = settings.COMPUTE[alias]
            backend_class: type[ComputeBackend] = import_string(entry["BACKEND"])
            self._backends[alias] = backend_class(alias, dict(entry.get("OPTIONS", {})))
        return self._backends[alias]

    def __iter__(self) -> Iterator[str]:
        return iter(settings.COMPUTE)


compute = ComputeHandler()

"""Endpoint backends by alias, after the manner of Django's STORAGES: `endpoints["default"]`."""

from collections.abc import Iterator

from django.conf import settings
from django.utils.module_loading import import_string

from serving.backends.base import EndpointBackend


class EndpointHandler:
    """Builds each backend of the ENDPOINTS setting once."""

    def __init__(self) -> None:
        self._backends: dict[str, EndpointBackend] = {}

    def __getitem__(self, alias: str) -> EndpointBackend:
        if alias not in self._backends:
            entry = settings.ENDPOINTS[alias]
            backend_class: type[EndpointBackend] = import_string(entry["BACKEND"])
            self._backends[alias] = backend_class(alias, dict(entry.get("OPTIONS", {})))
        return self._backends[alias]

    def __iter__(self) -> Iterator[str]:
        return iter(settings.ENDPOINTS)


endpoints = EndpointHandler()

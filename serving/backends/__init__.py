"""Endpoint backends: `endpoints["default"]`, and with an endpoint's own options `endpoints.of("default", {...})`."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.conf import settings
from django.utils.module_loading import import_string

from jobs.aliases import Aliases
from serving.backends.base import EndpointBackend


class Endpoints(Aliases[EndpointBackend]):
    """Backends by alias, as in Django's STORAGES: the setting maps an alias to {BACKEND, OPTIONS}."""

    def of(self, alias: str, options: Mapping[str, Any]) -> EndpointBackend:
        """The backend of an alias with `options` over its OPTIONS; built once, and kept.

        Raises KeyError for an alias that the setting lacks, ValueError for options it does not know or that are wrong.
        """
        if not options:
            return self[alias]
        key = f"{alias} {msgspec.json.encode(options, order='sorted').decode()}"
        if key not in self.built:
            self.built[key] = self.planned(alias, options)
        return self.built[key]

    def planned(self, alias: str, options: Mapping[str, Any]) -> EndpointBackend:
        """The same for an endpoint that is only thought of, which is not kept."""
        entry = getattr(settings, self.setting)[alias]
        backend_class: type[EndpointBackend] = import_string(entry["BACKEND"])
        return backend_class(alias, {**entry.get("OPTIONS", {}), **options})


endpoints = Endpoints("ENDPOINTS")

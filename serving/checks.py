"""System checks: a wrong ENDPOINTS or ROUTE_CLASSIFIERS setting is told at start."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from jobs.aliases import Aliases
from serving.backends import endpoints
from serving.routing.classifiers import classifiers


@register()
def check_backends(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every alias of ENDPOINTS and ROUTE_CLASSIFIERS builds."""
    errors: list[CheckMessage] = []
    backends: tuple[Aliases[Any], ...] = (endpoints, classifiers)
    for aliases in backends:
        for alias in aliases:
            try:
                aliases[alias]
            except (ImportError, ValueError, KeyError) as error:
                errors.append(Error(f"{aliases.setting}[{alias!r}]: {error}", id="serving.E001"))
    return errors

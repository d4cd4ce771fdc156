"""System checks: a wrong ENDPOINTS setting is told at start."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from serving.backends import endpoints


@register()
def check_endpoints(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every alias of ENDPOINTS builds."""
    errors: list[CheckMessage] = []
    for alias in endpoints:
        try:
            endpoints[alias]
        except (ImportError, ValueError, KeyError) as error:
            errors.append(Error(f"ENDPOINTS[{alias!r}]: {error}", id="serving.E001"))
    return errors

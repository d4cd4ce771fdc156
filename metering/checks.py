"""System checks: a wrong USAGE_SOURCES setting is told at start."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from metering.backends import usage_sources


@register()
def check_usage_sources(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every alias of USAGE_SOURCES builds."""
    errors: list[CheckMessage] = []
    for alias in usage_sources:
        try:
            usage_sources[alias]
        except (ImportError, ValueError, KeyError) as error:
            errors.append(Error(f"USAGE_SOURCES[{alias!r}]: {error}", id="metering.E001"))
    return errors

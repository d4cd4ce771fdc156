"""System checks: an invalid COMPUTE setting is reported when the site starts."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from jobs.backends import compute


@register()
def check_compute(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that every backend of COMPUTE can be built."""
    errors: list[CheckMessage] = []
    for alias in compute:
        try:
            compute[alias]
        except (ImportError, ValueError, KeyError) as error:
            errors.append(Error(f"COMPUTE[{alias!r}]: {error}", id="jobs.E001"))
    return errors

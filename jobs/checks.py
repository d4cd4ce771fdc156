"""System checks: a wrong COMPUTE setting is told at start."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from jobs.backends import compute


@register()
def check_compute(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every alias of COMPUTE builds."""
    errors: list[CheckMessage] = []
    for alias in compute:
        try:
            compute[alias]
        except (ImportError, ValueError, KeyError) as error:
            errors.append(Error(f"COMPUTE[{alias!r}]: {error}", id="jobs.E001"))
    return errors

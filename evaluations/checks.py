"""System checks that report a wrong METRICS, ENCODERS or JUDGES setting at start."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from evaluations.judges.backends import judges
from evaluations.metrics import metrics
from evaluations.metrics.encoders import encoders
from jobs.aliases import Aliases


@register()
def check_backends(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Build every alias of METRICS, ENCODERS and JUDGES."""
    errors: list[CheckMessage] = []
    backends: tuple[Aliases[Any], ...] = (metrics, encoders, judges)
    for aliases in backends:
        for alias in aliases:
            try:
                aliases[alias]
            except (ImportError, ValueError, KeyError) as error:
                errors.append(Error(f"{aliases.setting}[{alias!r}]: {error}", id="evaluations.E001"))
    return errors

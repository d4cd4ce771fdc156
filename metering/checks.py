"""System checks: invalid USAGE_SOURCES and PRICE_LISTS settings are reported when the site starts."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, register

from jobs.aliases import Aliases
from metering.backends import usage_sources
from metering.backends.price_lists import price_lists


@register()
def check_backends(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that every backend of USAGE_SOURCES and PRICE_LISTS can be built."""
    return [*_errors("USAGE_SOURCES", usage_sources), *_errors("PRICE_LISTS", price_lists)]


def _errors(setting: str, aliases: Aliases[Any]) -> Iterator[CheckMessage]:
    for alias in aliases:
        try:
            aliases[alias]
        except (ImportError, ValueError, KeyError) as error:
            yield Error(f"{setting}[{alias!r}]: {error}", id="metering.E001")

"""System checks: invalid USAGE_SOURCES and PRICE_LISTS settings are reported when the site starts."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from jobs.aliases import Aliases
from metering.backends import usage_sources
from metering.backends.price_lists import price_lists
from metering.models import IdlePolicy


@register()
def check_backends(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that every backend of USAGE_SOURCES and PRICE_LISTS can be built."""
    return [*_errors("USAGE_SOURCES", usage_sources), *_errors("PRICE_LISTS", price_lists)]


@register()
def check_numbers(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check the settings that costs and kept requests depend on."""
    return list(_wrong_numbers())


def _wrong_numbers() -> Iterator[CheckMessage]:
    if settings.IDLE_COST_POLICY not in IdlePolicy.values:
        yield Error(f"IDLE_COST_POLICY must be one of {', '.join(IdlePolicy.values)}.", id="metering.E002")
    if not 0 < settings.OUTPUT_TOKEN_WEIGHT < 1000:
        yield Error("OUTPUT_TOKEN_WEIGHT must be above 0 and below 1,000.", id="metering.E002")
    if settings.INVOCATION_MONTHS_KEPT < 1:
        yield Error("INVOCATION_MONTHS_KEPT must be at least 1.", id="metering.E002")
    if not 0 <= settings.STATEMENT_CLOSING_DAYS <= 28:
        yield Error("STATEMENT_CLOSING_DAYS must be 0 to 28.", id="metering.E002")


def _errors(setting: str, aliases: Aliases[Any]) -> Iterator[CheckMessage]:
    for alias in aliases:
        try:
            aliases[alias]
        except (ImportError, ValueError, KeyError) as error:
            yield Error(f"{setting}[{alias!r}]: {error}", id="metering.E001")

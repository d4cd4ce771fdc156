"""System checks: an invalid PRICE_LISTS setting is reported when the site starts."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from metering.backends.price_lists import price_lists


@register()
def check_price_lists(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that every backend of PRICE_LISTS can be built."""
    errors: list[CheckMessage] = []
    for alias in price_lists:
        try:
            price_lists[alias]
        except (ImportError, ValueError, KeyError) as error:
            errors.append(Error(f"PRICE_LISTS[{alias!r}]: {error}", id="metering.E001"))
    return errors

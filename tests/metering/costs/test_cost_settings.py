"""A wrong setting of costs is reported when the site starts."""

import pytest
from pytest_django import Settings

from metering.checks import check_numbers


def test_the_usual_settings_are_fine() -> None:
    assert check_numbers(None) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("IDLE_COST_POLICY", "nobody"), ("OUTPUT_TOKEN_WEIGHT", 0.0), ("INVOCATION_MONTHS_KEPT", 0)],
)
def test_a_wrong_one_is_named(settings: Settings, name: str, value: object) -> None:
    setattr(settings, name, value)
    [error] = check_numbers(None)
    assert name in error.msg

"""docs/observing.md lists every series."""

import re
from pathlib import Path

import pytest

from portal.telemetry.families import DatabaseCollector
from portal.telemetry.requests import request_times

PAGE = Path(__file__).resolve().parents[3] / "docs/observing.md"


@pytest.mark.django_db
def test_every_series_is_in_the_table() -> None:
    listed = re.findall(r"^\| `(adapter_portal_\w+)` \|", PAGE.read_text("utf-8"), re.MULTILINE)
    families = [*DatabaseCollector().collect(), *request_times().collect()]
    told = [f"{family.name}_total" if family.type == "counter" else family.name for family in families]
    assert sorted(told) == sorted(listed)

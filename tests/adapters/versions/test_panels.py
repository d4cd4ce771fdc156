"""Higher floors add panels to a version's page without this floor knowing them."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from adapters.models import AdapterVersion
from adapters.versions import panels
from adapters.versions.panels import Panel
from corpora.models import DatasetVersion


@pytest.mark.usefixtures("no_panels")
def test_panels_are_shown_lower_floors_first(
    as_alice: Client, dataset_version: DatasetVersion, make_version: Callable[..., AdapterVersion]
) -> None:
    version = make_version(dataset_version)

    def higher(version: AdapterVersion) -> Panel:
        return Panel(template="components/empty.html", context={"title": f"{version} is not live"})

    def lower(version: AdapterVersion) -> Panel:
        return Panel(template="components/empty.html", context={"title": f"{version} is good"})

    def silent(version: AdapterVersion) -> None:
        return None

    for source in (higher, lower, silent, higher):
        panels.register(source)
    page = as_alice.get(reverse("adapters:version", args=[version.id])).content.decode()
    assert page.count("is not live") == 1
    assert page.index("boxes v1 is good") < page.index("boxes v1 is not live")

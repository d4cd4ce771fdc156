"""Tables are cards on a phone: nothing is off the screen."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.live_server_helper import LiveServer

from adapters.models import Adapter, AdapterVersion
from corpora.models import Dataset
from evaluations.models import EvaluationRun
from tenants.models import Tenant, User
from tests.browsing import PHONE, browsing
from tests.portal.world import make_world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

OFF_SCREEN = """() => [...document.querySelectorAll("main .table-responsive *, main > *")]
    .filter((element) => !element.closest("thead") && element.checkVisibility())
    .filter((element) => element.getBoundingClientRect().right > innerWidth)
    .map((element) => element.outerHTML.slice(0, 80))"""


def test_no_table_leaves_the_screen(live_server: LiveServer, as_alice: Client, tenant: Tenant, alice: User) -> None:
    world = make_world(tenant, alice)
    ids = {model: world[model].pk for model in (Dataset, Adapter, AdapterVersion, EvaluationRun)}
    addresses = [
        *map(reverse, ("overview", "adapters:list", "adapters:runs", "adapters:sweeps", "evaluations:list")),
        *map(reverse, ("serving:endpoint", "jobs:list", "keys")),
        reverse("corpora:detail", args=[ids[Dataset]]),
        reverse("adapters:detail", args=[ids[Adapter]]),
        reverse("adapters:version", args=[ids[AdapterVersion]]),
        reverse("evaluations:detail", args=[ids[EvaluationRun]]),
    ]
    with browsing(live_server, as_alice, viewport=PHONE) as page:
        found = {}
        for address in addresses:
            response = page.goto(address)
            assert response is not None
            assert response.ok
            found[address] = page.evaluate(OFF_SCREEN)
    assert {address: elements for address, elements in found.items() if elements} == {}

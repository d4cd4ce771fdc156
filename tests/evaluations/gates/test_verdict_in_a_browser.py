"""The verdict in a real browser: every state can be read by everybody, and a reason is asked for in place."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from evaluations.gates.policies import read_policy
from evaluations.gates.services import approve, open_decision, override, set_policy
from evaluations.models import Decision, EvaluationRun
from tenants.models import Tenant, User
from tenants.scope import tenant_scope
from tests.browsing import DESKTOP, browsing, looks
from tests.evaluations.gates.rounds import grade_next, make_round

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

POLICY = {
    "conditions": [
        {"kind": "metric", "metric": "exact_match", "against": "base"},
        {"kind": "metric", "metric": "exact_match", "against": "live", "needs": "not_worse", "margin": 0.02},
        {"kind": "experts", "verdict": "pass", "threshold": 0.7},
        {"kind": "severe_losses", "at_most": 0.1},
        {"kind": "licence"},
        {"kind": "leakage"},
        {"kind": "latency", "p95_seconds": 1.5},
        {"kind": "approvals", "people": 2},
    ]
}
STATES = ("undecided", "passes", "fails", "overridden")


@pytest.fixture
def addresses(
    tenant: Tenant, make_evaluation: Callable[..., EvaluationRun], alice: User, bob: User, rita: User
) -> dict[str, str]:
    """The pages of decisions, by what they say."""
    found = {}
    with tenant_scope(tenant.id):
        for state in STATES:
            run = make_evaluation(tenant, rows=40)
            set_policy(tenant=tenant, adapter=run.version.adapter, policy=read_policy(POLICY), set_by=alice)
            experts = make_round(run, [rita])
            decision = open_decision(tenant=tenant, version=run.version, run=run, opened_by=alice)
            grade_next(experts, rita, 1.0 if state == "fails" else 5.0, count=9 if state == "undecided" else 38)
            approve(decision=decision, person=bob, comment="Read ten of them.")
            if state == "passes":
                approve(decision=decision, person=rita)
            if state == "overridden":
                override(decision=decision, reason="The customer waits for it.", closed_by=alice)
            found[state] = reverse("evaluations:decision", args=[decision.id])
        found["new"] = reverse("evaluations:decide", args=[make_evaluation(tenant, rows=6).version_id])
        found["policy"] = reverse("evaluations:policy", args=[run.version.adapter_id])
    return found


def problems(page: Page) -> list[tuple[str, list[str]]]:
    found = Axe().run(page).response["violations"]
    return [(problem["id"], problem["nodes"][0]["target"]) for problem in found]


def test_every_state_can_be_read_by_everybody(
    live_server: LiveServer, as_alice: Client, addresses: dict[str, str]
) -> None:
    with browsing(live_server, as_alice) as page:
        for look in looks(page):
            for state, address in addresses.items():
                page.goto(address)
                assert problems(page) == [], (state, look)
                assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (state, look)


def test_a_reason_is_asked_for_in_place(
    live_server: LiveServer, as_alice: Client, addresses: dict[str, str], tenant: Tenant
) -> None:
    with browsing(live_server, as_alice, viewport=DESKTOP) as page:
        page.goto(addresses["undecided"])
        page.get_by_role("button", name="Override verdict…").click()
        page.get_by_role("textbox", name="Reason").fill("It is urgent.")
        assert problems(page) == []
        page.get_by_role("button", name="Override verdict", exact=True).click()
        expect(page.get_by_text("Overridden by Alice")).to_be_visible()
    with tenant_scope(tenant.id):
        assert Decision.objects.filter(reason="It is urgent.").exists()

"""The first page: the next step, what runs, what answers; and switching between organisations."""

from typing import Any

from django.test import Client
from django.urls import reverse

from jobs.models import Job
from jobs.states import State
from tenants.models import Tenant, User
from tenants.people.services import add_member
from tenants.permissions import Role
from tenants.scope import tenant_scope
from tests.portal.world import CANARY, make_world

URL = reverse("overview")


def test_a_new_tenant_is_shown_the_first_step(as_alice: Client) -> None:
    page = as_alice.get(URL).content.decode()
    assert page.index("Next step") < page.index("Upload a dataset</h2>")
    assert page.count("Done:") == 0
    assert "No jobs yet" in page


def test_the_next_step_moves_on(as_alice: Client, tenant: Tenant, alice: User) -> None:
    world = make_world(tenant, alice)
    page = as_alice.get(URL).content.decode()
    assert "Next step" not in page
    with tenant_scope(tenant.id):
        next(row for row in world.values() if type(row).__name__ == "Review").delete()
    page = as_alice.get(URL).content.decode()
    assert "Ask an expert</h2>" in page
    assert page.count("Done:") == 4


def test_it_shows_what_answers_within_few_queries(
    as_alice: Client, tenant: Tenant, alice: User, django_assert_max_num_queries: Any
) -> None:
    make_world(tenant, alice)
    with django_assert_max_num_queries(18):
        page = as_alice.get(URL).content.decode()
    assert page.count(CANARY) >= 3


def test_it_polls_only_while_something_runs(as_alice: Client, tenant: Tenant) -> None:
    assert "data-live" not in as_alice.get(URL).content.decode()
    with tenant_scope(tenant.id):
        Job.objects.create(kind="toy", title="A job", state=State.RUNNING, fraction=0.4)
    page = as_alice.get(URL).content.decode()
    assert 'hx-select="#latest-jobs"' in page
    assert 'value="40" max="100"' in page


def test_another_tenant_sees_none_of_it(as_charlie: Client, tenant: Tenant, alice: User) -> None:
    make_world(tenant, alice)
    assert CANARY not in as_charlie.get(URL).content.decode()


def test_a_reviewer_is_sent_to_the_reviews_and_sees_only_them(as_rita: Client) -> None:
    response = as_rita.get(URL)
    assert response.headers["Location"] == reverse("evaluations:reviews")
    page = as_rita.get(response.headers["Location"]).content.decode()
    for name in ("jobs:list", "keys", "adapters:list"):
        assert f'href="{reverse(name)}"' not in page


def test_a_member_of_two_switches_between_them(
    as_alice: Client, alice: User, tenant: Tenant, other_tenant: Tenant
) -> None:
    switch = reverse("switch-tenant")
    assert switch not in as_alice.get(URL).content.decode()
    assert as_alice.post(switch, {"tenant": other_tenant.id}).status_code == 404
    with tenant_scope(other_tenant.id):
        add_member(tenant=other_tenant, user=alice, role=Role.MEMBER)
        Job.objects.create(kind="toy", title="A job of Cedar Care", state=State.SUCCEEDED)
    assert "A job of Cedar Care" not in as_alice.get(URL).content.decode()
    as_alice.post(switch, {"tenant": other_tenant.id})
    assert "A job of Cedar Care" in as_alice.get(URL).content.decode()

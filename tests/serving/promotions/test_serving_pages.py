"""Endpoint page, promote and roll back in the browser, and the panel on a version's page."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import Settings

from adapters.models import AdapterVersion
from serving.models import Promotion, Route
from tenants.models import Tenant
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db
MakeVersion = Callable[..., AdapterVersion]


@pytest.fixture(autouse=True)
def nobody_to_ask(memory: MemoryEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.promotions.kinds.known_answers", lambda version, limit: [])


def promote(client: Client, version: AdapterVersion, run_jobs: Callable[..., None]) -> None:
    assert client.post(f"/serving/promote/{version.id}/").status_code == 302
    run_jobs()


def test_promote_shows_its_job_and_then_the_route(
    as_bob: Client, tenant: Tenant, make_version: MakeVersion, run_jobs: Callable[..., None]
) -> None:
    version = make_version(tenant, "legal", 1)
    answer = as_bob.post(f"/serving/promote/{version.id}/")
    assert answer["location"].startswith("/jobs/")
    assert "data-live" in as_bob.get("/serving/").content.decode()
    run_jobs()
    page = as_bob.get("/serving/").content.decode()
    assert "<code>legal</code>" in page
    assert "data-live" not in page
    assert "Roll back" not in page.split("What happens when")[0]


def test_roll_back_switches_and_says_so(
    as_alice: Client, in_tenant: Tenant, make_version: MakeVersion, run_jobs: Callable[..., None]
) -> None:
    for seed in (1, 2):
        promote(as_alice, make_version(in_tenant, "legal", seed), run_jobs)
    route = Route.objects.get()
    assert f"roll-back-{route.id}" in as_alice.get("/serving/").content.decode()
    answer = as_alice.post(f"/serving/routes/{route.id}/roll-back/", follow=True)
    assert "legal v1 is live again." in answer.content.decode()


def test_a_version_without_evaluation_says_what_to_do(
    as_alice: Client, tenant: Tenant, make_version: MakeVersion
) -> None:
    version = make_version(tenant, "legal", 1, answers=None)
    answer = as_alice.post(f"/serving/promote/{version.id}/")
    assert answer.status_code == 409
    assert "not been evaluated" in answer.content.decode()


def test_without_anything_the_page_says_what_to_do(as_alice: Client, endpoint: object) -> None:
    page = as_alice.get("/serving/").content.decode()
    assert "No live adapters yet" in page
    assert "What happens when you promote" in page


def test_an_endpoint_that_is_away_is_told(as_alice: Client, endpoint: object, memory: MemoryEndpoint) -> None:
    memory.away = True
    assert "Unavailable" in as_alice.get("/serving/").content.decode()


def test_the_version_page_tells_live_from_not_live(
    as_alice: Client, tenant: Tenant, make_version: MakeVersion, run_jobs: Callable[..., None], settings: Settings
) -> None:
    first, second = make_version(tenant, "legal", 1), make_version(tenant, "legal", 2)
    unready = make_version(tenant, "legal", 3, answers=None)
    page = as_alice.get(f"/adapters/versions/{first.id}/").content.decode()
    assert "<code>legal</code> is not live yet" in page
    promote(as_alice, first, run_jobs)
    page = as_alice.get(f"/adapters/versions/{first.id}/").content.decode()
    assert ">Live<" in page
    page = as_alice.get(f"/adapters/versions/{second.id}/").content.decode()
    assert "switches to v2" in page
    assert "(v1)</th>" in page
    assert "90.0%" in page
    page = as_alice.get(f"/adapters/versions/{unready.id}/").content.decode()
    assert "Evaluate this version before you promote it" in page
    settings.MAX_LORA_RANK = second.rank - 1
    page = as_alice.get(f"/adapters/versions/{second.id}/").content.decode()
    assert "has rank" in page
    assert "#promote-version" not in page


def test_charlie_finds_nothing(
    as_alice: Client, as_charlie: Client, in_tenant: Tenant, make_version: MakeVersion, run_jobs: Callable[..., None]
) -> None:
    version = make_version(in_tenant, "canary-of-alice", 1)
    assert as_charlie.post(f"/serving/promote/{version.id}/").status_code == 404
    promote(as_alice, version, run_jobs)
    route = Route.objects.get()
    assert as_charlie.post(f"/serving/routes/{route.id}/roll-back/").status_code == 404
    for page in ("/serving/", "/serving/playground/"):
        assert "canary-of-alice" not in as_charlie.get(page).content.decode()
    assert Promotion.objects.count() == 1


def test_a_reviewer_is_kept_out(as_rita: Client) -> None:
    assert as_rita.get("/serving/").status_code == 403
    assert as_rita.get("/serving/playground/").status_code == 403
    assert as_rita.post(f"/serving/promote/{uuid4()}/").status_code == 403


def test_get_changes_nothing(as_alice: Client) -> None:
    assert as_alice.get(f"/serving/promote/{uuid4()}/").status_code == 405
    assert as_alice.get(f"/serving/routes/{uuid4()}/roll-back/").status_code == 405


def test_its_queries_do_not_grow_with_the_rows(
    as_alice: Client,
    tenant: Tenant,
    make_version: MakeVersion,
    run_jobs: Callable[..., None],
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    for seed in range(1, 6):
        promote(as_alice, make_version(tenant, f"adapter-{seed}", seed), run_jobs)
    with django_assert_max_num_queries(16):  # type: ignore[attr-defined]
        as_alice.get("/serving/")

"""Endpoint page, promote and roll back in the browser, and the panel on a version's page."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client

from adapters.models import AdapterVersion
from serving.backends import endpoints
from serving.endpoints.fingerprint import Fingerprint
from serving.models import Deployment, DeploymentState, Promotion, Route
from tenants.models import Tenant
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db
MakeVersion = Callable[..., AdapterVersion]


@pytest.fixture(autouse=True)
def nobody_to_ask(memory: MemoryEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.endpoints.loading.known_answers", lambda version, limit: [])


def promote(client: Client, version: AdapterVersion, run_jobs: Callable[..., None]) -> None:
    assert client.post(f"/serving/promote/{version.id}/").status_code == 302
    run_jobs()


def standing(client: Client, version: AdapterVersion) -> str:
    return client.get(f"/serving/versions/{version.id}/").content.decode()


def test_a_promotion_goes_on_and_ends_on_the_versions_page(
    as_bob: Client, tenant: Tenant, make_version: MakeVersion, run_jobs: Callable[..., None]
) -> None:
    version = make_version(tenant, "legal", 1)
    answer = as_bob.post(f"/serving/promote/{version.id}/")
    assert answer["location"] == f"/adapters/versions/{version.id}/#promotion"
    assert 'id="promotion" data-live' in as_bob.get(f"/adapters/versions/{version.id}/").content.decode()
    assert "data-live" in standing(as_bob, version)
    assert "data-live" in as_bob.get("/serving/").content.decode()
    run_jobs()
    ended = standing(as_bob, version)
    assert "data-live" not in ended
    assert "Live as <code>legal</code>" in ended
    page = as_bob.get("/serving/").content.decode()
    assert "<code>legal</code>" in page
    assert "data-live" not in page
    assert "Roll back" not in page.split("What happens when")[0]


def test_a_promotion_that_failed_says_why_where_it_can_be_tried_again(
    as_bob: Client,
    in_tenant: Tenant,
    make_version: MakeVersion,
    memory: MemoryEndpoint,
    run_jobs: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = make_version(in_tenant, "legal", 1)
    monkeypatch.setattr("serving.endpoints.loading.known_answers", lambda version, limit: [([], "Hi")])
    monkeypatch.setattr(
        "serving.endpoints.loading.take_fingerprint", lambda target, known: Fingerprint(asked=3, matched=1)
    )
    promote(as_bob, version, run_jobs)
    page = as_bob.get(f"/adapters/versions/{version.id}/").content.decode()
    assert "repeated only 1 of 3 answers" in page
    assert "#promote-version" in page


def test_a_promotions_job_says_what_it_did(
    as_bob: Client,
    in_tenant: Tenant,
    make_version: MakeVersion,
    run_jobs: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    version = make_version(in_tenant, "legal", 1)
    monkeypatch.setattr("serving.endpoints.loading.take_fingerprint", lambda *_: Fingerprint(asked=3, matched=3))

    def job_page() -> str:
        promote(as_bob, version, run_jobs)
        page = as_bob.get(f"/jobs/{Promotion.objects.earliest('created_at').job_id}/")
        assert "reported" not in page.content.decode()
        return as_bob.get(f"/jobs/{Promotion.objects.latest('created_at').job_id}/").content.decode()

    assert "repeated 3 of 3 answers" in job_page()
    assert "already live" in job_page()


def test_an_evaluation_of_the_live_version_leads_to_the_endpoint(
    as_bob: Client, in_tenant: Tenant, make_version: MakeVersion, run_jobs: Callable[..., None]
) -> None:
    live, newer = make_version(in_tenant, "legal", 1), make_version(in_tenant, "legal", 2)

    def actions(version: AdapterVersion) -> str:
        page = as_bob.get(f"/evaluations/{version.evaluations.get().id}/").content.decode()
        return page.split("heading-actions")[1].split("</header>")[0]

    assert f"/adapters/versions/{live.id}/#promotion" in actions(live)
    promote(as_bob, live, run_jobs)
    assert "#promotion" not in actions(live)
    assert 'href="/serving/"' in actions(live)
    assert f"/adapters/versions/{newer.id}/#promotion" in actions(newer)


def test_roll_back_through_a_job_is_followed_on_the_endpoint_page(
    as_alice: Client, in_tenant: Tenant, make_version: MakeVersion, run_jobs: Callable[..., None]
) -> None:
    for seed in (1, 2):
        promote(as_alice, make_version(in_tenant, "legal", seed), run_jobs)
    route = Route.objects.get()
    Deployment.objects.filter(version__number=1).update(state=DeploymentState.DELETED)
    answer = as_alice.post(f"/serving/routes/{route.id}/roll-back/")
    assert answer["location"] == "/serving/"
    assert "data-live" in as_alice.get("/serving/").content.decode()


def test_roll_back_switches_and_says_so(
    as_alice: Client, in_tenant: Tenant, make_version: MakeVersion, run_jobs: Callable[..., None]
) -> None:
    for seed in (1, 2):
        promote(as_alice, make_version(in_tenant, "legal", seed), run_jobs)
    route = Route.objects.get()
    assert f"roll-back-{route.id}" in as_alice.get("/serving/").content.decode()
    answer = as_alice.post(f"/serving/routes/{route.id}/roll-back/", follow=True)
    assert "Rolled back to legal v1." in answer.content.decode()


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
    as_alice: Client,
    tenant: Tenant,
    make_version: MakeVersion,
    run_jobs: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
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
    monkeypatch.setattr(endpoints["default"], "max_rank", second.rank - 1)
    page = as_alice.get(f"/adapters/versions/{second.id}/").content.decode()
    assert "has rank" in page
    assert "#promote-version" not in page


def test_charlie_finds_nothing(
    as_alice: Client, as_charlie: Client, in_tenant: Tenant, make_version: MakeVersion, run_jobs: Callable[..., None]
) -> None:
    version = make_version(in_tenant, "canary-of-alice", 1)
    assert as_charlie.post(f"/serving/promote/{version.id}/").status_code == 404
    assert as_charlie.get(f"/serving/versions/{version.id}/").status_code == 404
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
    assert as_alice.post(f"/serving/versions/{uuid4()}/").status_code == 405
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


def test_live_adapters_are_shown_in_pages_and_found_by_a_part_of_the_model_id(
    as_bob: Client,
    tenant: Tenant,
    make_version: MakeVersion,
    run_jobs: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for seed, name in enumerate(("billing", "legal", "tickets"), 1):
        promote(as_bob, make_version(tenant, name, seed), run_jobs)
    assert 'name="q"' not in as_bob.get("/serving/").content.decode()
    monkeypatch.setattr("serving.promotions.views.ROUTES_ON_A_PAGE", 2)

    def shown(**query: str) -> list[str]:
        page = as_bob.get("/serving/", query).content.decode()
        return [name for name in ("billing", "legal", "tickets") if f"<code>{name}</code></th>" in page]

    assert shown() == ["billing", "legal"]
    assert shown(page="2") == ["tickets"]
    assert shown(q="ICK") == ["tickets"]
    assert shown(q="\0") == ["billing", "legal"]
    assert "No matching live adapters" in as_bob.get("/serving/", {"q": "nobodys"}).content.decode()
    as_bob.post(f"/serving/promote/{make_version(tenant, 'summaries', 4).id}/")
    assert 'hx-get="/serving/?page=2"' in as_bob.get("/serving/", {"page": "2"}).content.decode()

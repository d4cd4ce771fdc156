"""Freeze windows on the endpoint's page and over REST."""

import datetime as dt
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from adapters.models import AdapterVersion
from serving.freezes.services import add_site_freeze
from serving.models import Freeze
from tenants.models import Tenant
from tests.serving.memory_endpoint import MemoryEndpoint

pytestmark = pytest.mark.django_db
MakeVersion = Callable[..., AdapterVersion]
FREEZES = "/api/v1/freezes/"
END = "2099-01-04T08:00:00Z"


def section(client: Client) -> str:
    page = client.get("/serving/").content.decode()
    return page.split('data-testid="freezes"')[1].split("</section>")[0]


def test_the_page_lists_adds_and_ends(
    as_bob: Client, in_tenant: Tenant, memory: MemoryEndpoint, make_version: MakeVersion
) -> None:
    version = make_version(in_tenant, "legal", 1)
    assert "Promotions are not frozen" in section(as_bob)
    sent = {"adapter": str(version.adapter_id), "ends_at": "2099-01-04T08:00", "reason": "Quarter close"}
    assert as_bob.post("/serving/freezes/new/", sent)["location"] == "/serving/"
    freeze = Freeze.objects.get()
    assert (freeze.adapter, str(freeze.created_by)) == (version.adapter, "Bob")
    shown = section(as_bob)
    assert "Quarter close" in shown
    assert "4 Jan 2099, 08:00 UTC" in shown
    assert f"#end-freeze-{freeze.id}" in shown
    refused = as_bob.post(f"/serving/promote/{version.id}/")
    assert refused.status_code == 409
    assert "Quarter close" in refused.content.decode()
    assert 'data-testid="frozen"' in as_bob.get(f"/adapters/versions/{version.id}/").content.decode()
    assert as_bob.post(f"/serving/freezes/{freeze.id}/end/")["location"] == "/serving/"
    assert "Promotions are not frozen" in section(as_bob)
    assert 'data-testid="frozen"' not in as_bob.get(f"/adapters/versions/{version.id}/").content.decode()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"ends_at": "2001-01-01T00:00"}, "must end in the future"),
        ({"starts_at": "2099-02-01T00:00"}, "must end in the future"),
        ({"ends_at": "soon"}, "Enter a valid date/time"),
        ({"ends_at": ""}, "This field is required"),
        ({"reason": "x" * 201}, "at most 200 characters"),
        ({"adapter": str(uuid4())}, "Select a valid choice"),
    ],
)
def test_a_wrong_form_says_what_is_wrong(as_bob: Client, in_tenant: Tenant, changed: dict[str, str], told: str) -> None:
    sent = {"ends_at": "2099-01-04T08:00", "reason": "Quarter close", **changed}
    answer = as_bob.post("/serving/freezes/new/", sent)
    assert answer.status_code == 200
    assert told in answer.content.decode()
    assert not Freeze.objects.exists()


def test_the_sites_window_is_shown_and_cannot_be_ended_here(
    as_alice: Client, in_tenant: Tenant, api: APIClient
) -> None:
    site = add_site_freeze(starts_at=None, ends_at=timezone.now() + dt.timedelta(hours=1), reason="Move")
    shown = section(as_alice)
    assert "Whole site" in shown
    assert "end-freeze" not in shown
    assert as_alice.post(f"/serving/freezes/{site.id}/end/").status_code == 404
    [row] = api.get("/api/v1/site-freezes/").json()["results"]
    assert (row["id"], row["reason"]) == (str(site.id), "Move")
    assert api.delete(f"/api/v1/site-freezes/{site.id}/").status_code == 405


def test_rest_adds_lists_and_ends(
    api: APIClient, in_tenant: Tenant, memory: MemoryEndpoint, make_version: MakeVersion
) -> None:
    version = make_version(in_tenant, "legal", 1)
    answer = api.post(FREEZES, {"ends_at": END, "reason": "Quarter close"})
    assert answer.status_code == 201
    row = answer.json()
    assert (row["adapter"], row["ends_at"], row["reason"]) == (None, END, "Quarter close")
    assert api.get(FREEZES).json()["results"] == [row]
    refused = api.post("/api/v1/promotions/", {"version": str(version.id)})
    assert refused.status_code == 409
    problem = refused.json()
    assert (problem["code"], problem["reason"]) == ("promotion:frozen", "Quarter close")
    assert problem["ends_at"] == "2099-01-04T08:00:00+00:00"
    assert api.delete(f"{FREEZES}{row['id']}/").status_code == 204
    assert api.delete(f"{FREEZES}{row['id']}/").status_code == 404
    assert api.post("/api/v1/promotions/", {"version": str(version.id)}).status_code == 201


@pytest.mark.parametrize(
    ("changed", "status", "field"),
    [
        ({"ends_at": "2001-01-01T00:00:00Z"}, 400, "ends_at"),
        ({"ends_at": None}, 400, "ends_at"),
        ({"reason": ""}, 400, "reason"),
        ({"adapter": str(uuid4())}, 404, "adapter"),
    ],
)
def test_a_wrong_body_names_the_field(
    api: APIClient, in_tenant: Tenant, changed: dict[str, object], status: int, field: str
) -> None:
    answer = api.post(FREEZES, {"ends_at": END, "reason": "Quarter close", **changed}, format="json")
    assert answer.status_code == status
    problem = answer.json()
    assert field in (problem.get("field"), *(error["field"] for error in problem.get("errors", [])))


def test_charlie_finds_nothing(api: APIClient, other_api: APIClient, as_charlie: Client, in_tenant: Tenant) -> None:
    row = api.post(FREEZES, {"ends_at": END, "reason": "Quarter close"}).json()
    assert other_api.get(FREEZES).json()["results"] == []
    assert other_api.get(f"{FREEZES}{row['id']}/").status_code == 404
    assert other_api.delete(f"{FREEZES}{row['id']}/").status_code == 404
    assert as_charlie.post(f"/serving/freezes/{row['id']}/end/").status_code == 404
    assert "Quarter close" not in as_charlie.get("/serving/").content.decode()
    assert Freeze.objects.count() == 1


def test_a_reviewer_is_kept_out(as_rita: Client) -> None:
    assert as_rita.get("/serving/freezes/new/").status_code == 403
    assert as_rita.post(f"/serving/freezes/{uuid4()}/end/").status_code == 403

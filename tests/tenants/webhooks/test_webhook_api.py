"""Webhooks over REST, and what the site itself tells them."""

import pytest
from rest_framework.test import APIClient
from standardwebhooks.webhooks import Webhook as StandardWebhook

from tenants.models import Tenant
from tenants.scope import tenant_scope
from tenants.webhooks.delivering import deliver_due
from tenants.webhooks.services import publish
from tests.tenants.webhooks.receiver import receiver

pytestmark = pytest.mark.django_db

LIST = "/api/v1/webhooks/"


def test_the_whole_life_of_one(api: APIClient, tenant: Tenant) -> None:
    with receiver() as server:
        made = api.post(LIST, {"url": server.url, "events": ["parcel.sent"]}, format="json").json()
        assert api.get(f"{LIST}{made['id']}/").json() == {k: v for k, v in made.items() if k != "secret"}
        test = api.post(f"{LIST}{made['id']}/test/").json()
        assert (test["type"], test["state"]) == ("webhook.test", "waiting")
        with tenant_scope(tenant.id):
            publish("parcel.sent", {"parcel": 7})
        assert deliver_due(seconds=30) == 2
        for headers, body in server.received:
            StandardWebhook(made["secret"]).verify(body, headers)
        found = api.get("/api/v1/webhook-deliveries/", {"webhook": made["id"]}).json()["results"]
        assert [(one["type"], one["state"], one["status"]) for one in found] == [
            ("parcel.sent", "delivered", 204),
            ("webhook.test", "delivered", 204),
        ]
        again = api.post(f"/api/v1/webhook-deliveries/{found[0]['id']}/send/")
        assert (again.status_code, again.json()["state"]) == (202, "waiting")
        deliver_due(seconds=30)
        ids = [headers["webhook-id"] for headers, _ in server.received]
        assert ids[2] == ids[1]
        new = api.post(f"{LIST}{made['id']}/secret/").json()["secret"]
        assert new != made["secret"]
    assert api.post(f"{LIST}{made['id']}/pause/").json()["is_paused"] is True
    assert api.post(f"{LIST}{made['id']}/test/").status_code == 409
    assert api.post(f"{LIST}{made['id']}/resume/").json()["is_paused"] is False
    changed = api.put(f"{LIST}{made['id']}/", {"url": "https://example.com/new"}, format="json").json()
    assert (changed["url"], changed["events"]) == ("https://example.com/new", [])
    assert api.delete(f"{LIST}{made['id']}/").status_code == 204
    assert api.get(LIST).json()["results"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "nowhere"}, "url"),
        ({"url": "https://example.com/", "events": ["parcel.eaten"]}, "events"),
        ({"url": "https://example.com/", "events": "parcel.sent"}, "events"),
    ],
)
def test_wrong_bodies_are_said(api: APIClient, body: dict[str, object], field: str) -> None:
    answer = api.post(LIST, body, format="json")
    assert answer.status_code == 400
    problem = answer.json()
    assert field == problem.get("field") or field in str(problem["errors"])

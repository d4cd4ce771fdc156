"""Owners and members add webhooks, see what was sent, and send it again."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from tenants.models import AuditEvent, Tenant, Webhook, WebhookDelivery
from tenants.scope import tenant_scope
from tenants.webhooks.delivering import deliver_due
from tenants.webhooks.services import create_webhook, pause_webhook, publish
from tests.tenants.webhooks.receiver import receiver

pytestmark = pytest.mark.django_db

LIST = "/webhooks/"


def test_a_new_webhook_shows_its_secret_once(as_alice: Client, tenant: Tenant) -> None:
    made = as_alice.post(LIST, {"url": "https://example.com/events", "events": ["parcel.lost"]})
    page = as_alice.get(made["Location"])
    assert re.search(r"whsec_[A-Za-z0-9+/=]{32}<", page.content.decode())
    assert "no-store" in page["Cache-Control"]
    assert "whsec_" not in as_alice.get(made["Location"]).content.decode()
    with tenant_scope(tenant.id):
        webhook = Webhook.objects.get()
        assert (webhook.url, webhook.kinds) == ("https://example.com/events", ["parcel.lost"])
        assert [*AuditEvent.objects.filter(target_id=str(webhook.id)).values_list("action", flat=True)] == [
            "webhook.created"
        ]


@pytest.mark.parametrize(
    "url",
    ["", "example.com", "ftp://example.com/", "https://", "https://me:secret@example.com/", "https://example.com/#a",
     "https://exämple.com/", "https://example.com/a b", "https://example.com/" + "a" * 500, "https://[::1/",
     "https://example.com:0/"],
)  # fmt: skip
def test_a_wrong_address_is_said_at_its_field(as_alice: Client, url: str) -> None:
    answer = as_alice.post(LIST, {"url": url})
    assert answer.status_code == 200
    assert answer.context["form"].errors["url"]


def test_a_hosted_site_sends_only_sealed(as_alice: Client, settings: Settings) -> None:
    settings.EMBEDDED = False
    answer = as_alice.post(LIST, {"url": "http://example.com/"})
    assert "https://" in answer.context["form"].errors["url"][0]


def test_there_is_an_end(as_alice: Client) -> None:
    for number in range(10):
        assert as_alice.post(LIST, {"url": f"https://example.com/{number}"}).status_code == 302
    assert "Delete one first" in as_alice.post(LIST, {"url": "https://example.com/"}).content.decode()


def test_from_a_failed_delivery_to_a_received_one(as_alice: Client, tenant: Tenant) -> None:
    with receiver(410, 200) as server:
        with tenant_scope(tenant.id):
            webhook, _ = create_webhook(tenant=tenant, url=server.url)
            publish("parcel.lost", {"parcel": "<b>7</b>"})
        deliver_due(seconds=30)
        url = reverse("webhooks:webhook", args=[webhook.id])
        page = as_alice.get(url).content.decode()
        assert "wants no more events" in page
        assert "&lt;b&gt;7&lt;/b&gt;" in page
        as_alice.post(reverse("webhooks:pause", args=[webhook.id]))
        with tenant_scope(tenant.id):
            delivery = WebhookDelivery.objects.get()
        assert as_alice.post(reverse("webhooks:again", args=[delivery.id])).status_code == 302
        deliver_due(seconds=30)
        assert "Received" in as_alice.get(url).content.decode()
        assert len(server.received) == 2


def test_a_paused_webhook_sends_no_test(as_alice: Client, tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        webhook, _ = create_webhook(tenant=tenant, url="https://example.com/")
        pause_webhook(webhook=webhook)
    assert as_alice.post(reverse("webhooks:test", args=[webhook.id])).status_code == 409


def test_reviewers_and_others_see_none(as_rita: Client, as_charlie: Client, tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        webhook, _ = create_webhook(tenant=tenant, url="https://example.com/")
    assert as_rita.get(LIST).status_code == 403
    assert as_charlie.get(reverse("webhooks:webhook", args=[webhook.id])).status_code == 404
    assert "example.com/" not in as_charlie.get(LIST).content.decode().replace("https://example.com/events", "")

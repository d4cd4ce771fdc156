"""Events reach the webhooks that listen: signed, at least once, with patience and an end."""

import datetime as dt
import threading
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django.fixtures import Settings
from standardwebhooks.webhooks import Webhook as StandardWebhook
from standardwebhooks.webhooks import WebhookVerificationError

from tenants.models import AuditEvent, DeliveryState, Tenant, Webhook, WebhookDelivery, WebhookEvent
from tenants.scope import system_scope, tenant_scope
from tenants.tasks import LOCK, deliver_webhooks
from tenants.webhooks.delivering import DELAYS, GIVEN_UP, GONE, LEASE, deliver_due
from tenants.webhooks.services import (
    change_webhook,
    create_webhook,
    delete_webhook,
    forget_old_events,
    pause_webhook,
    publish,
    replace_secret,
    resume_webhook,
    send_again,
    send_test,
)
from tests.tenants.webhooks.receiver import receiver

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_tenant")]


@pytest.fixture
def in_tenant(tenant: Tenant) -> Iterator[None]:
    with tenant_scope(tenant.id):
        yield


def make_due() -> None:
    WebhookDelivery.objects.filter(state=DeliveryState.WAITING).update(due_at=timezone.now())


def deliver() -> int:
    """As the worker does, which acts for no tenant."""
    return deliver_due(seconds=30)


def test_an_event_arrives_as_standard_webhooks_says(tenant: Tenant) -> None:
    with receiver() as server:
        _, secret = create_webhook(tenant=tenant, url=server.url)
        publish("parcel.sent", {"parcel": 7, "to": "Zoë", "on": dt.date(2026, 11, 29)})
        assert deliver() == 1
        [(headers, body)] = server.received
    document = StandardWebhook(secret).verify(body, headers)
    assert document["type"] == "parcel.sent"
    assert document["data"] == {"parcel": 7, "to": "Zoë", "on": "2026-11-29"}
    assert dt.datetime.fromisoformat(document["timestamp"]) <= timezone.now()
    with pytest.raises(WebhookVerificationError):
        StandardWebhook(secret).verify(body + b" ", headers)
    row = WebhookDelivery.objects.get()
    assert (row.state, row.status, row.attempts, row.due_at) == (DeliveryState.DELIVERED, 204, 1, None)
    assert deliver() == 0


def test_only_those_who_listen_hear_of_it(tenant: Tenant, other_tenant: Tenant) -> None:
    with receiver() as every, receiver() as lost, receiver() as paused, receiver() as foreign:
        create_webhook(tenant=tenant, url=every.url)
        create_webhook(tenant=tenant, url=lost.url, kinds=["parcel.lost"])
        pause_webhook(webhook=create_webhook(tenant=tenant, url=paused.url)[0])
        with tenant_scope(other_tenant.id):
            create_webhook(tenant=other_tenant, url=foreign.url)
        publish("parcel.sent", {"parcel": 7})
        deliver()
        assert [len(one.received) for one in (every, lost, paused, foreign)] == [1, 0, 0, 0]


def test_nothing_is_stored_where_nobody_listens(tenant: Tenant) -> None:
    publish("parcel.sent", {"parcel": 7})
    assert not WebhookEvent.objects.exists()


@pytest.mark.parametrize(("kind", "data"), [("parcel.eaten", {}), ("parcel.sent", {"x": "y" * 20_000})])
def test_what_nobody_could_receive_is_a_mistake_of_the_site(kind: str, data: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=kind):
        publish(kind, data)


def test_a_failed_delivery_is_tried_again_later_with_the_same_id(tenant: Tenant) -> None:
    with receiver(500, 503, 200) as server:
        create_webhook(tenant=tenant, url=server.url)
        publish("parcel.sent", {"parcel": 7})
        for attempt in (1, 2):
            before = timezone.now()
            assert deliver() == 1
            row = WebhookDelivery.objects.get()
            assert (row.state, row.attempts) == (DeliveryState.WAITING, attempt)
            assert row.due_at is not None
            assert row.due_at >= before + DELAYS[attempt - 1]
            assert deliver() == 0
            make_due()
        assert Webhook.objects.get().failing_since is not None
        assert deliver() == 1
        assert len({headers["webhook-id"] for headers, _ in server.received}) == 1
    assert WebhookDelivery.objects.get().state == DeliveryState.DELIVERED
    assert Webhook.objects.get().failing_since is None


def test_a_receiver_may_say_when(tenant: Tenant) -> None:
    with receiver(429, headers={"Retry-After": "3000"}) as server:
        create_webhook(tenant=tenant, url=server.url)
        publish("parcel.sent", {"parcel": 7})
        before = timezone.now()
        deliver()
    due_at = WebhookDelivery.objects.get().due_at
    assert due_at is not None
    assert due_at >= before + dt.timedelta(seconds=3000)


def test_after_three_days_it_ends_and_the_webhook_is_paused(tenant: Tenant) -> None:
    with receiver(500) as server:
        webhook, _ = create_webhook(tenant=tenant, url=server.url)
        publish("parcel.sent", {"parcel": 7})
        for _ in DELAYS:
            deliver()
            make_due()
        assert not Webhook.objects.get().is_paused
        Webhook.objects.update(failing_since=timezone.now() - sum(DELAYS, dt.timedelta()))
        publish("parcel.lost", {"parcel": 7})
        deliver()
    webhook.refresh_from_db()
    assert (webhook.is_paused, webhook.pause_reason) == (True, GIVEN_UP)
    assert {row.state for row in WebhookDelivery.objects.all()} == {DeliveryState.FAILED}
    assert AuditEvent.objects.filter(action="webhook.paused").exists()


def test_a_receiver_that_is_gone_is_left_alone(tenant: Tenant) -> None:
    with receiver(410) as server:
        webhook, _ = create_webhook(tenant=tenant, url=server.url)
        publish("parcel.sent", {"parcel": 7})
        assert deliver() == 1
    webhook.refresh_from_db()
    assert (webhook.is_paused, webhook.pause_reason) == (True, GONE)


@pytest.mark.parametrize("answer", [301, 302, 400, 404])
def test_only_2xx_means_received(tenant: Tenant, answer: int) -> None:
    with receiver(answer, headers={"Location": "http://127.0.0.1:1/"}) as server:
        create_webhook(tenant=tenant, url=server.url)
        publish("parcel.sent", {"parcel": 7})
        deliver()
        assert len(server.received) == 1
    assert WebhookDelivery.objects.get().state == DeliveryState.WAITING


def test_nobody_there_is_said_in_words(tenant: Tenant) -> None:
    with receiver() as server:
        pass
    create_webhook(tenant=tenant, url=server.url)
    publish("parcel.sent", {"parcel": 7})
    deliver()
    row = WebhookDelivery.objects.get()
    assert (row.status, row.error_text) == (None, "The server does not respond. Check its address.")


def test_a_slow_receiver_holds_up_only_itself(tenant: Tenant) -> None:
    """The slow one answers only when the other has received all of its three."""
    with receiver(waits=threading.Event()) as slow, receiver() as quick:
        create_webhook(tenant=tenant, url=slow.url)
        create_webhook(tenant=tenant, url=quick.url)
        for parcel in range(3):
            publish("parcel.sent", {"parcel": parcel})

        def release() -> None:
            while len(quick.received) < 3 and not done.wait(0.01):
                pass
            assert slow.waits is not None
            slow.waits.set()

        done = threading.Event()
        watcher = threading.Thread(target=release)
        watcher.start()
        try:
            assert deliver() == 6
        finally:
            done.set()
            watcher.join()
        assert [one["data"]["parcel"] for one in quick.documents] == [0, 1, 2]
        assert len(slow.received) == 3


def test_a_worker_that_died_leaves_it_to_another(tenant: Tenant) -> None:
    with receiver() as server:
        create_webhook(tenant=tenant, url=server.url)
        publish("parcel.sent", {"parcel": 7})
        # Claimed, and then nothing.
        WebhookDelivery.objects.update(due_at=timezone.now() + LEASE, attempts=1)
        assert deliver() == 0
        WebhookDelivery.objects.update(due_at=timezone.now())
        assert deliver() == 1
        assert len(server.received) == 1


def test_one_worker_delivers_at_a_time(tenant: Tenant) -> None:
    with receiver() as server:
        create_webhook(tenant=tenant, url=server.url)
        publish("parcel.sent", {"parcel": 7})
        cache.set(LOCK, True)
        deliver_webhooks()
        assert server.received == []
        cache.delete(LOCK)
        deliver_webhooks()
        assert len(server.received) == 1
    assert cache.get(LOCK) is None


def test_the_old_secret_signs_for_a_day(tenant: Tenant) -> None:
    with receiver() as server:
        webhook, old = create_webhook(tenant=tenant, url=server.url)
        new = replace_secret(webhook=webhook)
        publish("parcel.sent", {"parcel": 7})
        deliver()
        headers, body = server.received[-1]
        for secret in (old, new):
            assert StandardWebhook(secret).verify(body, headers)
        Webhook.objects.update(previous_until=timezone.now())
        publish("parcel.sent", {"parcel": 8})
        deliver()
        headers, body = server.received[-1]
        assert StandardWebhook(new).verify(body, headers)
        with pytest.raises(WebhookVerificationError):
            StandardWebhook(old).verify(body, headers)
    assert old not in Webhook.objects.get().sealed_previous


def test_a_secret_that_the_site_can_no_longer_read_is_said(tenant: Tenant) -> None:
    create_webhook(tenant=tenant, url="http://127.0.0.1:1/")
    Webhook.objects.update(sealed_secret="broken")
    publish("parcel.sent", {"parcel": 7})
    deliver()
    assert "Replace it" in WebhookDelivery.objects.get().error_text


def test_a_test_goes_to_one_webhook(tenant: Tenant) -> None:
    with receiver() as server, receiver() as other:
        webhook, _ = create_webhook(tenant=tenant, url=server.url, kinds=["parcel.lost"])
        create_webhook(tenant=tenant, url=other.url)
        send_test(webhook=webhook)
        deliver()
        assert [one["type"] for one in server.documents] == ["webhook.test"]
        assert other.received == []


def test_what_failed_is_sent_again(tenant: Tenant) -> None:
    with receiver(410, 200) as server:
        webhook, _ = create_webhook(tenant=tenant, url=server.url)
        publish("parcel.sent", {"parcel": 7})
        deliver()
        resume_webhook(webhook=webhook)
        send_again(delivery=WebhookDelivery.objects.get())
        assert deliver() == 1
        first, second = (headers["webhook-id"] for headers, _ in server.received)
        assert first == second
    assert WebhookDelivery.objects.get().state == DeliveryState.DELIVERED


def test_one_that_was_deleted_while_it_was_sent_is_forgotten(tenant: Tenant) -> None:
    with receiver(waits=threading.Event()) as server:
        webhook, _ = create_webhook(tenant=tenant, url=server.url)
        publish("parcel.sent", {"parcel": 7})
        make_due()
        delete_webhook(webhook=webhook)
        assert deliver() == 0
    assert not WebhookDelivery.objects.exists()


def test_a_changed_address_counts_at_once(tenant: Tenant) -> None:
    with receiver() as server:
        webhook, _ = create_webhook(tenant=tenant, url="http://127.0.0.1:1/")
        publish("parcel.sent", {"parcel": 7})
        change_webhook(webhook=webhook, url=server.url, kinds=[])
        deliver()
        assert len(server.received) == 1


def test_old_events_are_forgotten_with_their_deliveries(tenant: Tenant) -> None:
    create_webhook(tenant=tenant, url="http://127.0.0.1:1/")
    publish("parcel.sent", {"parcel": 7})
    WebhookEvent.objects.update(created_at=timezone.now() - dt.timedelta(days=31))
    publish("parcel.sent", {"parcel": 8})
    with system_scope():
        forget_old_events()
    assert [event.data["parcel"] for event in WebhookEvent.objects.all()] == [8]
    assert WebhookDelivery.objects.count() == 1


def test_a_hosted_site_reaches_no_private_network(tenant: Tenant, settings: Settings) -> None:
    settings.EMBEDDED = False
    with receiver() as server:
        url = server.url.replace("http://", "https://")
        create_webhook(tenant=tenant, url=url)
        publish("parcel.sent", {"parcel": 7})
        deliver()
        assert server.received == []
    assert "private network" in WebhookDelivery.objects.get().error_text

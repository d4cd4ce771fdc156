"""An alert's e-mail is sent once, tried again while it fails, and given up with a reason."""

import datetime as dt
from smtplib import SMTPException
from typing import Any

import pytest
from django.utils import timezone

from metering.alerts import mail as sending
from metering.alerts.mail import DELAYS, LEASE, send_due
from metering.alerts.services import end_alerts, open_alert
from metering.models import Alert, AlertKind, AlertMail, MailState
from tenants.models import Membership, Tenant, User
from tenants.permissions import Role

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def with_mail(settings: Any) -> None:
    settings.SENDS_EMAIL = True


def opened(occasion: str = "1", **changes: Any) -> Alert:
    plain: dict[str, Any] = {
        "kind": AlertKind.BUDGET, "subject": "", "occasion": occasion, "title": "Cost is high", "text": "Twice.",
        "data": {},
    }  # fmt: skip
    return open_alert(**{**plain, **changes})


def due_now() -> None:
    AlertMail.objects.filter(state=MailState.WAITING).update(due_at=timezone.now())


def test_owners_are_told_once(in_tenant: Tenant, mailoutbox: list[Any]) -> None:
    opened()
    opened()
    assert send_due() == 1
    assert send_due() == 0
    [message] = mailoutbox
    assert (message.subject, message.to) == ("Cost is high", ["alice@example.com"])
    assert "Alder Law: Twice." in message.body
    assert "/usage/alerts/" in message.body
    assert message.extra_headers["Message-ID"].startswith("<alert-")
    assert AlertMail.objects.get().state == MailState.SENT


def test_a_site_without_mail_tells_nobody(in_tenant: Tenant, settings: Any) -> None:
    settings.SENDS_EMAIL = False
    opened()
    assert not AlertMail.objects.exists()


def test_it_is_tried_again_and_given_up_with_the_reason(
    in_tenant: Tenant, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened()

    def fails(self: Any) -> int:
        raise SMTPException("no")

    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.EmailMessage.send", fails)
        for attempt in range(1, len(DELAYS) + 2):
            assert send_due() == 0
            mail = AlertMail.objects.get()
            assert mail.attempts == attempt
            assert send_due() == 0, "it is not due yet"
            due_now()
    assert (mail.state, mail.reason) == (MailState.FAILED, "The mail server did not take it: SMTPException.")
    assert send_due() == 0
    assert mailoutbox == []


def test_what_a_killed_worker_had_claimed_is_sent_after_its_lease(
    in_tenant: Tenant, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened()
    assert len(sending._claimed()) == 1
    assert send_due() == 0
    later = timezone.now() + LEASE + dt.timedelta(seconds=1)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)
    assert send_due() == 1
    assert len(mailoutbox) == 1


def test_who_has_left_is_not_told(in_tenant: Tenant, bob: User, mailoutbox: list[Any]) -> None:
    opened(recipients=[bob.pk])
    Membership.objects.filter(user=bob).delete()
    assert send_due() == 0
    assert AlertMail.objects.get().reason == "No longer a member."
    # Owners are told where nobody who was chosen is left.
    opened("2", recipients=[bob.pk])
    assert send_due() == 1
    assert [message.to for message in mailoutbox] == [["alice@example.com"]]


def test_a_reviewer_is_not_told_of_money(in_tenant: Tenant, bob: User, alice: User) -> None:
    Membership.objects.filter(user=bob).update(role=Role.REVIEWER)
    opened(recipients=[bob.pk])
    assert [mail.person for mail in AlertMail.objects.all()] == [alice]


def test_a_name_with_a_line_break_is_no_header(in_tenant: Tenant, mailoutbox: list[Any]) -> None:
    opened(title="Cost\r\nBcc: x@example.com")
    send_due()
    assert mailoutbox[0].subject == "Cost Bcc: x@example.com"


def test_one_is_open_of_each_subject_and_it_opens_again_in_silence(in_tenant: Tenant) -> None:
    first = opened("1")
    second = opened("2")
    assert list(Alert.objects.open()) == [second]
    assert end_alerts(kind=AlertKind.BUDGET, subject="") == 1
    assert opened("1").id == first.id
    assert list(Alert.objects.open()) == [first]
    assert AlertMail.objects.count() == 2

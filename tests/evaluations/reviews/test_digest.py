"""The daily e-mail to experts for whom answers wait."""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from smtplib import SMTPException
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from evaluations.models import EvaluationItem, EvaluationRun, ReviewDigest
from evaluations.reviews.digest import send_digests, tenants_with_open_rounds
from evaluations.reviews.rounds.services import change_round, close_round
from tenants.models import Membership, Tenant, User
from tenants.scope import tenant_scope
from tests.evaluations.reviews.rounds import graded, start

TODAY = dt.date(2026, 11, 30)


@pytest.fixture(autouse=True)
def sends(settings: Settings) -> None:
    settings.SENDS_EMAIL = True
    settings.SITE_URL = "https://portal.example/"


def test_it_says_what_waits_until_when_and_how_long_it_takes(
    in_tenant: Tenant, evaluation: EvaluationRun, rita: User
) -> None:
    found = start(evaluation, rita)
    change_round(review_round=found, due_on=dt.date(2026, 12, 5), keeps_due_date=False)
    assert tenants_with_open_rounds() == [in_tenant.id]
    assert send_digests(tenant_id=in_tenant.id, today=TODAY) == 1
    (message,) = mail.outbox
    assert (message.subject, message.to) == ("6 answers wait for you", ["rita@example.com"])
    assert "- Boxes of Alder Law: 6 answers, due 5 Dec 2026, about 4 minutes" in message.body
    assert "https://portal.example/evaluations/reviews/" in message.body
    for word in ("Which shelf", "model", "judge", "adapter"):
        assert word not in message.body


def test_once_a_day_and_only_while_answers_wait(in_tenant: Tenant, evaluation: EvaluationRun, rita: User) -> None:
    found = start(evaluation, rita)
    days = [TODAY, TODAY, TODAY + dt.timedelta(days=1)]
    assert [send_digests(tenant_id=in_tenant.id, today=day) for day in days] == [1, 0, 1]
    for item in EvaluationItem.objects.select_related("run").filter(run=evaluation):
        graded(item, rita, 4)
    assert send_digests(tenant_id=in_tenant.id, today=TODAY + dt.timedelta(days=2)) == 0
    close_round(review_round=found)
    assert tenants_with_open_rounds() == []


def test_nobody_who_left_is_told(in_tenant: Tenant, evaluation: EvaluationRun, rita: User, alice: User) -> None:
    start(evaluation, rita, alice)
    Membership.objects.filter(user=rita).delete()
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert send_digests(tenant_id=in_tenant.id, today=TODAY) == 0


def test_an_expert_turns_it_off_and_on(as_rita: Client, tenant: Tenant, evaluation: EvaluationRun, rita: User) -> None:
    with tenant_scope(tenant.id):
        start(evaluation, rita)
    page, switch = reverse("evaluations:reviews"), reverse("evaluations:review-digest")
    assert "Stop these e-mails" in as_rita.get(page).content.decode()
    assert as_rita.post(switch).status_code == 302
    assert "E-mail me once a day" in as_rita.get(page).content.decode()
    assert send_digests(tenant_id=tenant.id, today=TODAY) == 0
    as_rita.post(switch, {"wanted": "1"})
    assert send_digests(tenant_id=tenant.id, today=TODAY) == 1


def test_a_mail_server_that_is_away_keeps_nobody_from_the_rest(
    in_tenant: Tenant, evaluation: EvaluationRun, rita: User, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(evaluation, rita, alice)
    told: list[str] = []

    def send(subject: str, text: str, sender: None, to: list[str]) -> None:
        told.extend(to)
        if to == ["alice@example.com"]:
            raise SMTPException

    monkeypatch.setattr("evaluations.reviews.digest.send_mail", send)
    assert send_digests(tenant_id=in_tenant.id, today=TODAY) == 1
    assert told == ["alice@example.com", "rita@example.com"]


def test_other_tenants_know_nothing_of_it(
    tenant: Tenant, other_tenant: Tenant, make_evaluation: Callable[..., EvaluationRun], rita: User
) -> None:
    with tenant_scope(tenant.id):
        start(make_evaluation(tenant), rita)
    assert send_digests(tenant_id=other_tenant.id, today=TODAY) == 0
    with tenant_scope(other_tenant.id):
        assert not ReviewDigest.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_tell_once(tenant: Tenant, make_evaluation: Callable[..., EvaluationRun], rita: User) -> None:
    with tenant_scope(tenant.id):
        start(make_evaluation(tenant), rita)

    def work(_: Any) -> int:
        try:
            return send_digests(tenant_id=tenant.id, today=TODAY)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as workers:
        assert sum(workers.map(work, range(4))) == 1
    assert len(mail.outbox) == 1

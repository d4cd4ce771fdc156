"""Signing in and out, and what strangers and people without an organisation see."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from tenants.models import Tenant, User
from tests.conftest import PASSWORD

LIMIT = 3
URL, OVERVIEW = reverse("sign-in"), reverse("overview")


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.AXES_FAILURE_LIMIT = LIMIT


def test_a_member_signs_in_by_e_mail_and_out_again(client: Client, alice: User, tenant: Tenant) -> None:
    response = client.post(URL, {"username": "Alice@Example.com", "password": PASSWORD})
    assert response.headers["Location"] == OVERVIEW
    assert "Alder Law" in client.get(OVERVIEW).content.decode()
    client.post(reverse("sign-out"))
    assert client.get(OVERVIEW).headers["Location"].startswith(URL)


def test_a_stranger_is_led_back_to_the_page_they_wanted(client: Client, alice: User, tenant: Tenant) -> None:
    wanted = reverse("jobs:list")
    address = client.get(wanted).headers["Location"]
    assert f'name="next" value="{wanted}"' in client.get(address).content.decode()
    response = client.post(address, {"username": alice.email, "password": PASSWORD, "next": wanted})
    assert response.headers["Location"] == wanted


def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(client: Client, alice: User, tenant: Tenant) -> None:
    page = f"{reverse('jobs:list')}?state=failed"
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{page}"}
    response = client.get(reverse("jobs:list") + "?part=1", headers=headers)
    assert "HX-Redirect" in response.headers
    assert not response.content
    form = client.get(response.headers["HX-Redirect"]).content.decode()
    assert f'action="{URL}"' in form
    assert f'name="next" value="{page}"' in form


def test_a_foreign_address_is_no_way_onwards(client: Client, alice: User, tenant: Tenant) -> None:
    form = {"username": alice.email, "password": PASSWORD, "next": "https://elsewhere.example/"}
    assert client.post(URL, form).headers["Location"] == OVERVIEW


def test_a_wrong_password_is_told_apart_from_nothing(client: Client, alice: User) -> None:
    known = client.post(URL, {"username": alice.email, "password": "wrong"}).content.decode()
    unknown = client.post(URL, {"username": "nobody@example.com", "password": "wrong"}).content.decode()
    assert "alert-danger" in known
    assert known.count("alert-danger") == unknown.count("alert-danger")
    assert PASSWORD not in known


def test_many_wrong_passwords_lock_the_address_out(client: Client, alice: User) -> None:
    for attempt in range(LIMIT):
        spelling = alice.email.upper() if attempt % 2 else alice.email
        response = client.post(URL, {"username": spelling, "password": "wrong"})
    assert response.status_code == 429
    assert "Too many attempts" in response.content.decode()
    assert client.post(URL, {"username": alice.email, "password": PASSWORD}).status_code == 429


def test_one_persons_failures_do_not_lock_out_a_colleague_at_the_same_address(
    client: Client, alice: User, bob: User, tenant: Tenant
) -> None:
    for _ in range(LIMIT):
        client.post(URL, {"username": alice.email, "password": "wrong"})
    assert client.post(URL, {"username": bob.email, "password": PASSWORD}).status_code == 302


def test_a_person_without_an_organisation_reads_what_to_do(client: Client, bob: User) -> None:
    client.post(URL, {"username": bob.email, "password": PASSWORD})
    response = client.get(OVERVIEW)
    assert response.status_code == 403
    assert "bob@example.com" in response.content.decode()


def test_an_unknown_address_is_told_nicely(client: Client) -> None:
    response = client.get("/nothing/")
    assert response.status_code == 404
    assert "Page not found" in response.content.decode()


def test_a_form_without_its_token_is_refused(alice: User) -> None:
    response = Client(enforce_csrf_checks=True).post(URL, {"username": alice.email, "password": PASSWORD})
    assert response.status_code == 403
    assert "expired" in response.content.decode()


@pytest.mark.parametrize("address", [URL, "/nothing/"])
def test_no_page_holds_an_inline_script(client: Client, db: None, address: str) -> None:
    response = client.get(address)
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    for script in response.content.decode().split("<script")[1:]:
        assert " src=" in script.split(">")[0]


def test_nothing_that_a_member_sees_is_kept(as_alice: Client, client: Client) -> None:
    for address in (OVERVIEW, reverse("jobs:list"), "/nothing/", "/api/v1/jobs/", "/api/v1/nothing/"):
        assert as_alice.get(address)["Cache-Control"] == "no-store", address
    assert "Cache-Control" not in client.get("/nothing/")

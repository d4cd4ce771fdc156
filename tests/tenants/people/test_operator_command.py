"""Who operates the site is said on the command line."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from tenants.models import User

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = StringIO()
    call_command("operator", *words, stdout=out)
    return out.getvalue()


def test_a_member_becomes_one_and_is_one_no_longer(as_alice: Client, alice: User) -> None:
    assert as_alice.get("/operator/endpoints/").status_code == 404
    assert run("add", " Alice@Example.com ") == "alice@example.com is an operator.\n"
    assert run("list") == "alice@example.com\n"
    assert as_alice.get("/operator/endpoints/").status_code == 200, "signed in with the password as before"
    run("remove", alice.email)
    assert as_alice.get("/operator/endpoints/").status_code == 404
    assert run("list") == ""


def test_somebody_new_sets_a_password(db: None) -> None:
    assert "http" in run("add", "new@example.com").splitlines()[1]
    assert User.objects.get(email="new@example.com").is_staff


def test_who_is_none_and_what_is_no_address_are_refused(alice: User) -> None:
    with pytest.raises(CommandError, match="not an operator"):
        run("remove", alice.email)
    with pytest.raises(CommandError, match="not an e-mail address"):
        run("add", "alice")

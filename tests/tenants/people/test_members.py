"""Owners invite members, change their roles and remove them; links work once."""

import datetime as dt
import re
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from tenants.keys.services import authenticate_api_key, create_api_key
from tenants.models import ApiKey, AuditEvent, Invitation, Membership, Tenant, User
from tenants.people.errors import InvitationEnded, LastOwner
from tenants.people.services import accept_invitation, change_role, find_invitation, invite, remove_member
from tenants.permissions import Role
from tenants.scope import tenant_scope
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

MEMBERS = "/members/"
NEW_PASSWORD = "a long enough pass phrase"


def invited(client: Client, email: str = "nina@example.com", role: str = "member") -> str:
    """The link that the page shows, once."""
    assert client.post(MEMBERS, {"email": email, "role": role}).status_code == 302
    found = re.search(r"http://testserver(/join/[^<]+/)<", client.get(MEMBERS).content.decode())
    assert found
    return found[1]


def test_a_new_person_joins_by_the_link_once(as_alice: Client, client: Client, tenant: Tenant) -> None:
    link = invited(as_alice, "Nina@Example.com")
    assert "/join/" not in as_alice.get(MEMBERS).content.decode()
    page = client.get(link)
    assert "Alder Law" in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    form = {"name": "Nina", "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    assert client.post(link, form).url == "/"  # type: ignore[attr-defined]
    assert client.get("/datasets/").status_code == 200
    with tenant_scope(tenant.id):
        assert Membership.objects.get(user__email="nina@example.com").role == Role.MEMBER
        assert [*AuditEvent.objects.filter(action="member.added").values_list("actor_kind", flat=True)][:1] == ["site"]
    assert Client().get(link).status_code == 404


def test_a_weak_password_is_refused(as_alice: Client, client: Client) -> None:
    link = invited(as_alice)
    answer = client.post(link, {"name": "Nina", "new_password1": "12345", "new_password2": "12345"})
    assert answer.status_code == 200
    assert answer.context["form"].errors["new_password2"]
    assert not User.objects.filter(email="nina@example.com").exists()


def test_who_has_an_account_signs_in_first(as_alice: Client, as_charlie: Client, tenant: Tenant, charlie: User) -> None:
    link = invited(as_alice, charlie.email, "reviewer")
    assert f"/sign-in/?next={link}" in Client().get(link).content.decode()
    assert as_charlie.post(link).url == "/"  # type: ignore[attr-defined]
    with tenant_scope(tenant.id):
        assert Membership.objects.get(user=charlie).role == Role.REVIEWER


def test_somebody_else_cannot_use_the_link(as_alice: Client, as_charlie: Client, tenant: Tenant, charlie: User) -> None:
    link = invited(as_alice, "nina@example.com")
    answer = as_charlie.post(link)
    assert (answer.status_code, "nina@example.com" in answer.content.decode()) == (200, True)
    with tenant_scope(tenant.id):
        assert not Membership.objects.filter(user=charlie).exists()


def test_a_second_invitation_replaces_the_first(in_tenant: Tenant, alice: User) -> None:
    _, first = invite(tenant=in_tenant, email="nina@example.com", role=Role.MEMBER, invited_by=alice)
    _, second = invite(tenant=in_tenant, email="NINA@example.com", role=Role.OWNER, invited_by=alice)
    with pytest.raises(InvitationEnded):
        find_invitation(first)
    assert find_invitation(second).role == Role.OWNER


def test_an_old_invitation_has_ended(in_tenant: Tenant, alice: User) -> None:
    invitation, token = invite(tenant=in_tenant, email="nina@example.com", role=Role.MEMBER, invited_by=alice)
    Invitation.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    with pytest.raises(InvitationEnded):
        find_invitation(token)
    with pytest.raises(InvitationEnded):
        accept_invitation(invitation=invitation, user=User.objects.create_user("nina@example.com"))
    invite(tenant=in_tenant, email="nina@example.com", role=Role.MEMBER, invited_by=alice)


def test_a_cancelled_invitation_has_ended(as_alice: Client, in_tenant: Tenant) -> None:
    link = invited(as_alice)
    as_alice.post(reverse("invitation-cancel", args=[Invitation.objects.get().id]))
    assert Client().get(link).status_code == 404


def test_a_member_is_not_invited_again(as_alice: Client, bob: User) -> None:
    answer = as_alice.post(MEMBERS, {"email": bob.email, "role": "member"})
    assert "already a member" in str(answer.context["form"].errors["email"])


def test_the_link_goes_by_e_mail_where_the_site_sends_any(as_alice: Client, settings: Settings) -> None:
    settings.SENDS_EMAIL = True
    link = invited(as_alice)
    assert (mail.outbox[0].to, link in mail.outbox[0].body) == (["nina@example.com"], True)


def test_only_owners_manage_members(as_bob: Client, as_rita: Client, tenant: Tenant) -> None:
    assert as_bob.get(MEMBERS).status_code == 403
    assert as_rita.post(MEMBERS, {"email": "x@example.com", "role": "owner"}).status_code == 403
    assert MEMBERS not in as_bob.get("/").content.decode()


def membership(user: User) -> Membership:
    found: Membership = Membership.objects.get(user=user)
    return found


def test_a_role_changes_at_once(as_alice: Client, as_bob: Client, in_tenant: Tenant, bob: User) -> None:
    as_alice.post(reverse("member-role", args=[membership(bob).id]), {"role": "reviewer"})
    assert as_bob.get("/datasets/").status_code == 403
    bad = as_alice.post(reverse("member-role", args=[membership(bob).id]), {"role": "emperor"})
    assert bad.status_code == 400


def test_the_last_owner_stays(in_tenant: Tenant, alice: User, bob: User) -> None:
    with pytest.raises(LastOwner):
        remove_member(membership_id=membership(alice).id)
    with pytest.raises(LastOwner):
        change_role(membership_id=membership(alice).id, role=Role.MEMBER)
    change_role(membership_id=membership(bob).id, role=Role.OWNER)
    remove_member(membership_id=membership(alice).id)


def test_a_removed_members_keys_stop(as_alice: Client, as_bob: Client, in_tenant: Tenant, bob: User) -> None:
    _, token = create_api_key(tenant=in_tenant, name="Bob's", created_by=bob)
    assert authenticate_api_key(token)
    assert as_alice.post(reverse("member-remove", args=[membership(bob).id])).status_code == 302
    assert authenticate_api_key(token) is None
    assert ApiKey.objects.get().revoked_at
    assert as_bob.get("/datasets/").status_code == 403


def test_a_deactivated_persons_keys_stop(in_tenant: Tenant, bob: User) -> None:
    _, token = create_api_key(tenant=in_tenant, name="Bob's", created_by=bob)
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert authenticate_api_key(token) is None


def test_a_key_is_not_kept_alive_by_another_membership(in_tenant: Tenant, other_tenant: Tenant, charlie: User) -> None:
    _, token = create_api_key(tenant=in_tenant, name="Charlie's", created_by=charlie)
    assert authenticate_api_key(token) is None


def signs_in(client: Client, email: str) -> bool:
    return client.post("/sign-in/", {"username": email, "password": NEW_PASSWORD}).status_code == 302


def run(*words: str) -> str:
    out = StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def path_in(text: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:8000(/\S+)", text)
    assert found, text
    return found[1]


def test_a_tenant_is_added_and_its_owner_sets_a_password(client: Client) -> None:
    link = path_in(run("tenant", "add", "Birch Bank", "--owner", "Olga@example.com"))
    form = client.get(link, follow=True)
    done = client.post(form.redirect_chain[-1][0], {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD})
    assert done.url == "/sign-in/"  # type: ignore[attr-defined]
    assert signs_in(client, "olga@example.com")
    assert "Birch Bank" in client.get(MEMBERS).content.decode()
    assert "no longer valid" in Client().get(link, follow=True).content.decode()
    with pytest.raises(CommandError, match="exists already"):
        run("tenant", "add", "Birch Bank", "--owner", "olga@example.com")


def test_members_are_added_and_removed_on_the_command_line(tenant: Tenant, bob: User) -> None:
    assert "http://" in run("member", "add", "alder-law", "nina@example.com", "--role", "reviewer")
    assert "http://" not in run("member", "add", "alder-law", bob.email, "--role", "owner")
    run("member", "remove", "alder-law", "alice@example.com")
    with tenant_scope(tenant.id):
        assert {str(m.user.email): m.role for m in Membership.objects.select_related("user")} == {
            "bob@example.com": "owner", "rita@example.com": "reviewer", "nina@example.com": "reviewer",
        }  # fmt: skip
        assert AuditEvent.objects.first().actor_kind == "operator"  # type: ignore[union-attr]
    for words in (("remove", "alder-law", bob.email), ("add", "nobody", bob.email), ("remove", "alder-law", "x@y.de")):
        with pytest.raises(CommandError):
            run("member", *words)


def test_an_operator_makes_a_link_or_sets_a_password(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "/password/" in run("password", "ALICE@example.com")
    monkeypatch.setattr("sys.stdin", StringIO(f"{NEW_PASSWORD}\n"))
    run("password", alice.email, "--stdin")
    assert signs_in(Client(), alice.email)
    monkeypatch.setattr("sys.stdin", StringIO("123\n"))
    with pytest.raises(CommandError, match="too short"):
        run("password", alice.email, "--stdin")


def test_a_password_is_changed_and_other_sessions_end(as_alice: Client, alice: User) -> None:
    elsewhere = Client()
    elsewhere.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    form = {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    assert as_alice.post("/password/", form).url == "/"  # type: ignore[attr-defined]
    assert as_alice.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302


def test_a_forgotten_password_is_set_by_e_mail(alice: User, client: Client, settings: Settings) -> None:
    settings.SENDS_EMAIL = True
    for email in (alice.email, "nobody@example.com"):
        assert client.post("/password/forgotten/", {"email": email}).url == "/sign-in/"  # type: ignore[attr-defined]
    assert [message.to for message in mail.outbox] == [[alice.email]]
    assert "/password/" in mail.outbox[0].body
    settings.SENDS_EMAIL = False
    assert "<form" not in client.get("/password/forgotten/").content.decode().split("<main")[1]

"""An organisation's judges: their secret stays where it was meant for, and their version says what they compute."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.core.serializers import serialize
from pytest_django import Settings

from evaluations.judges.backends.errors import Unauthorised
from evaluations.judges.configured import backend_of, fingerprint, secret_of
from evaluations.judges.services import change_judge, create_judge, delete_judge, try_judge
from evaluations.judges.settings import WrongSetting
from evaluations.models import Judge, JudgeUsage
from rest.errors import Conflict
from tenants.models import AuditEvent, Tenant
from tenants.outbound.destinations import Reach
from tenants.sealing import SealBroken, seal, unseal
from tests.evaluations.judges.scripted_model import Said, ScriptedModel, openai_server, verdict

SECRET = "sk-secret-of-the-judge"
OPENAI: dict[str, Any] = {"name": "Strict", "kind": "openai", "model": "grader", "address": "https://judge.example/v1"}
BEDROCK: dict[str, Any] = {"name": "Claude", "kind": "bedrock", "model": "eu.anthropic.claude:0", "region": "eu-west-1"}


@pytest.fixture(autouse=True)
def on_one_machine(settings: Settings) -> None:
    """The script's server is on loopback, which only judges of an embedded site may ask."""
    settings.EMBEDDED = True


@pytest.fixture
def judge(in_tenant: Tenant) -> Judge:
    return create_judge(tenant=in_tenant, secret=SECRET, **OPENAI)


def test_the_secret_is_sealed_and_in_no_event(judge: Judge) -> None:
    stored = serialize("json", [judge])
    events = json.dumps([[event.before, event.after] for event in AuditEvent.objects.all()])
    assert SECRET not in stored + events
    assert secret_of(judge) == SECRET
    assert AuditEvent.objects.get(action="judge.created").after["secret"] is True


@pytest.mark.parametrize(
    "address", ["https://other.example/v1", "https://judge.example:8443/v1", "http://judge.example/v1"]
)
def test_another_host_forgets_the_secret(judge: Judge, address: str) -> None:
    changed = change_judge(judge=judge, address=address)
    assert not changed.has_secret
    assert changed.secret_host == ""
    assert AuditEvent.objects.get(action="judge.changed").after["secret"] is False


def test_another_kind_forgets_the_secret(judge: Judge) -> None:
    assert not change_judge(judge=judge, kind="bedrock", region="eu-west-1").has_secret


def test_another_path_or_name_keeps_the_secret(judge: Judge) -> None:
    changed = change_judge(judge=judge, address="https://judge.example/openai/v1", name="Other")
    assert secret_of(changed) == SECRET


def test_a_row_that_was_pointed_elsewhere_has_no_secret(judge: Judge) -> None:
    """Whoever can write to the database still cannot send the secret to another host."""
    Judge.objects.update(address="https://thief.example/v1")
    judge.refresh_from_db()
    with pytest.raises(Unauthorised):
        backend_of(judge)


def test_a_secret_opens_for_its_tenant_and_host_only(tenant: Tenant, other_tenant: Tenant) -> None:
    sealed = seal(SECRET, tenant_id=tenant.id, host="a")
    assert unseal(sealed, tenant_id=tenant.id, host="a") == SECRET
    for wrong_tenant, wrong_host in ((other_tenant, "a"), (tenant, "b")):
        with pytest.raises(SealBroken):
            unseal(sealed, tenant_id=wrong_tenant.id, host=wrong_host)


def test_the_key_can_be_replaced(tenant: Tenant, settings: Settings) -> None:
    where: dict[str, Any] = {"tenant_id": tenant.id, "host": "a"}
    sealed = seal(SECRET, **where)
    settings.SECRETS_KEYS = ["a new key", settings.SECRET_KEY]
    assert unseal(sealed, **where) == SECRET
    sealed = seal(SECRET, **where)
    settings.SECRETS_KEYS = ["a new key"]
    assert unseal(sealed, **where) == SECRET
    settings.SECRETS_KEYS = ["another"]
    with pytest.raises(SealBroken):
        unseal(sealed, **where)


def test_the_version_rises_with_what_is_computed(judge: Judge) -> None:
    before = fingerprint(judge)
    renamed = change_judge(judge=judge, name="Other", price_in=None, requests_per_minute=60)
    assert (renamed.version, fingerprint(renamed)) == (1, before)
    changed = change_judge(judge=judge, temperature=0.7)
    assert changed.version == 2
    assert fingerprint(changed) != before
    assert change_judge(judge=judge, temperature=0.7).version == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"model": "two words"}, "model"),
        ({"kind": "oracle"}, "kind"),
        ({"address": ""}, "address"),
        ({"address": "judge.example/v1"}, "address"),
        ({"address": "https://user:pass@judge.example/v1"}, "address"),
        ({"address": "https://judge.example/v1?key=1"}, "address"),
        ({"address": "https://judge.example:port/v1"}, "address"),
        ({"address": "https://[::1/v1"}, "address"),
        ({"kind": "bedrock", "region": "mars"}, "region"),
        ({"kind": "bedrock", "region": "eu-west-1.evil.example/"}, "region"),
        ({"api_version": "1&x=2"}, "api_version"),
        ({"temperature": float("nan")}, "temperature"),
        ({"samples": 11}, "samples"),
        ({"requests_per_minute": 0}, "requests_per_minute"),
        ({"secret": "sk-\nX-Header: 1"}, "secret"),
    ],
)
def test_a_wrong_value_is_named(in_tenant: Tenant, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(WrongSetting) as raised:
        create_judge(tenant=in_tenant, **{**OPENAI, **changes})
    assert raised.value.field == field
    assert not Judge.objects.exists()


def test_a_name_is_taken_once(judge: Judge, in_tenant: Tenant) -> None:
    with pytest.raises(Conflict, match="Strict"):
        create_judge(tenant=in_tenant, **OPENAI)
    other = create_judge(tenant=in_tenant, **BEDROCK)
    with pytest.raises(Conflict, match="Strict"):
        change_judge(judge=other, name="Strict")


def test_a_hosted_site_keeps_to_https_and_the_internet(in_tenant: Tenant, settings: Settings) -> None:
    settings.EMBEDDED = False
    with pytest.raises(WrongSetting, match="https"):
        create_judge(tenant=in_tenant, **{**OPENAI, "address": "http://judge.example/v1"})
    judge = create_judge(tenant=in_tenant, **{**OPENAI, "address": "https://localhost/v1"})
    trial = try_judge(judge=judge)
    assert trial.error
    assert trial.error.kind == "rejected"
    settings.JUDGE_PRIVATE_HOSTS = ["vllm.internal:8000"]
    inside = create_judge(tenant=in_tenant, **{**OPENAI, "name": "Inside", "address": "http://vllm.internal:8000/v1"})
    assert backend_of(inside).settings["REACH"] is Reach.ANY


def test_bedrock_never_uses_the_sites_credentials(in_tenant: Tenant) -> None:
    judge = create_judge(tenant=in_tenant, **BEDROCK)
    with pytest.raises(Unauthorised, match="API key"):
        backend_of(judge)
    assert backend_of(change_judge(judge=judge, secret=SECRET)).settings["API_KEY"] == SECRET


def test_the_gateway_is_the_sites(in_tenant: Tenant, settings: Settings) -> None:
    judge = create_judge(tenant=in_tenant, secret="apk_x", name="Ours", kind="gateway", model="clauses")
    assert backend_of(judge).settings["URL"] == f"{settings.GATEWAY_URL}/v1"


@pytest.mark.parametrize(("said", "outcome"), [(verdict(2), "verdict"), (Said(text="five"), "malformed")])
def test_a_trial_is_recorded_with_its_cost(in_tenant: Tenant, said: Said, outcome: str) -> None:
    model = ScriptedModel()
    model.in_turn(said)
    with openai_server(model) as url:
        judge = create_judge(
            tenant=in_tenant, secret=SECRET, **{**OPENAI, "address": url}, price_in=Decimal(1), price_out=Decimal(1)
        )
        trial = try_judge(judge=judge)
    assert trial.usage.cost_usd
    counted = JudgeUsage.objects.get()
    assert (counted.purpose, counted.judge_key, counted.usd) == ("testing", str(judge.id), trial.usage.cost_usd)
    assert trial.raw == (said.raw,)
    after = AuditEvent.objects.get(action="judge.tried").after
    assert (after["outcome"], after["tokens_in"]) == (outcome, trial.usage.tokens_in)
    assert model.headers[0]["authorization"] == f"Bearer {SECRET}"


def test_a_deleted_judge_is_gone_and_recorded(judge: Judge) -> None:
    delete_judge(judge=judge)
    delete_judge(judge=judge)
    assert AuditEvent.objects.filter(action="judge.deleted").count() == 1

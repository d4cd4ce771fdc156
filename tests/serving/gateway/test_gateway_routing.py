"""Routers and single versions at the gateway, with the `openai` client."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest

from adapters.models import AdapterVersion
from lorakit.contracts import InvocationRecord
from metering.ledger.collector import collect
from serving.backends.vllm import VllmEndpoint
from serving.gateway.database import Caller, Directory, find_models
from serving.models import Deployment, DeploymentState, Endpoint, Router, RouterHits
from serving.routing.document import RouterDocument, RuleDraft, document_of
from serving.routing.queries import hits_of_rules
from serving.routing.services import create_router, delete_router, replace_router
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.serving.conftest import user
from tests.serving.gateway.gateway_client import PROMPT, TOKENS, Line, new_line, put_live
from tests.serving.gateway.test_gateway import records

pytestmark = pytest.mark.django_db(transaction=True)
MakeVersion = Callable[..., AdapterVersion]
DOCUMENT = RouterDocument(rules=(RuleDraft(kind="keyword", texts=("amber",), target="legal"),), default="tiny-llama")
SECONDS = 10.0


@pytest.fixture
def line(tenant: Tenant, gateway: str, vllm: VllmEndpoint, endpoint: Endpoint, make_version: MakeVersion) -> Line:
    """`legal` has two versions, the second live and the first draining; `billing` has one."""
    line = new_line(tenant)
    for name, seed in (("legal", 1), ("legal", 2), ("billing", 3)):
        put_live(line, vllm, endpoint, make_version(tenant, name, seed))
    return line


@pytest.fixture
def router(line: Line) -> Router:
    return make_router(line)


def make_router(line: Line, document: RouterDocument = DOCUMENT) -> Router:
    with tenant_scope(line.tenant.id):
        return create_router(tenant=line.tenant, name="desk", document=document, created_by=None)


def change(line: Line, router: Router, **values: Any) -> None:
    with tenant_scope(line.tenant.id):
        replace_router(router=router, document=replace(document_of(router), **values))


def ask(line: Line, gateway: str, model: str, *texts: str, **more: Any) -> Any:
    """The raw answer to a conversation whose user said `texts`."""
    messages = [message for text in texts for message in (*user(text), {"role": "assistant", "content": "Well."})][:-1]
    return line.client(gateway).chat.completions.with_raw_response.create(
        model=model, messages=messages, max_tokens=TOKENS, temperature=0, **more
    )


def refusal(line: Line, gateway: str, model: str, text: str, *, saying: str) -> openai.NotFoundError:
    """The refusal that comes once the gateway knows of a change."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            ask(line, gateway, model, text)
        except openai.NotFoundError as error:
            if saying in str(error):
                return error
    raise AssertionError(f"no refusal that says {saying!r}")


def test_a_rule_chooses_the_adapter_and_says_so(gateway: str, line: Line, router: Router, tmp_path: Path) -> None:
    raw = ask(line, gateway, "desk", PROMPT, extra_headers={"X-Receipt": "1"})
    answer = raw.parse()
    assert answer.choices[0].message.content == line.answers["legal", 2]
    assert answer.model == "legal"
    assert raw.headers["x-route"] == "desk;by=rule;rule=1;revision=1"
    assert raw.headers["x-adapter-version"] == "2"
    assert answer.receipt["model"] == "legal"
    [record] = records(tmp_path)
    [rule] = document_of(router).rules
    assert (record.alias, record.router, record.routed_by, record.rule_id) == ("legal", "desk", "rule", rule.id)
    assert "amber" not in record.to_json()


def test_a_stream_is_routed_too_and_an_earlier_message_still_counts(gateway: str, line: Line, router: Router) -> None:
    raw = ask(line, gateway, "desk", PROMPT, "And the second one?", stream=True)
    assert raw.headers["x-route"] == "desk;by=rule;rule=1;revision=1"
    assert {chunk.model for chunk in raw.parse()} == {"legal"}


def test_what_no_rule_fits_gets_the_default_or_is_refused(
    gateway: str, line: Line, router: Router, tmp_path: Path
) -> None:
    assert ask(line, gateway, "desk", "Good morning").parse().model == "tiny-llama"
    change(line, router, default="")
    refused = refusal(line, gateway, "desk", "Good morning", saying="has no default")
    assert refused.code == "no_route"
    assert refused.response.headers["x-route"] == "desk;by=default;revision=2"
    record = records(tmp_path)[-1]
    assert (record.alias, record.router, record.routed_by, record.status) == ("", "desk", "default", 404)


def test_completions_are_routed_by_their_prompt(gateway: str, line: Line, router: Router) -> None:
    completions = line.client(gateway).completions
    assert completions.create(model="desk", prompt="amber", max_tokens=4).model == "legal"
    assert completions.create(model="desk", prompt="Total: 42", max_tokens=4).model == "tiny-llama"


def test_a_version_can_be_asked_while_it_can_answer(gateway: str, line: Line) -> None:
    old, new = (ask(line, gateway, f"legal@{number}", PROMPT) for number in (1, 2))
    assert (old.headers["x-adapter-version"], new.headers["x-adapter-version"]) == ("1", "2")
    assert old.parse().choices[0].message.content == line.answers["legal", 1]
    assert new.parse().model == "legal"
    assert "x-route" not in old.headers
    with pytest.raises(openai.NotFoundError, match="can answer: legal@1, legal@2"):
        ask(line, gateway, "legal@3", PROMPT)
    with tenant_scope(line.tenant.id):
        Deployment.objects.filter(version__number=1, version__adapter__name="legal").update(
            state=DeploymentState.DELETED
        )
    refusal(line, gateway, "legal@1", PROMPT, saying="can answer: legal@2.")
    for name in ("legal@0", "legal@", "legal@x", "nobody@1", "legal@1@2", "tiny-llama@1"):
        with pytest.raises(openai.NotFoundError):
            ask(line, gateway, name, PROMPT)


def test_another_tenants_router_and_versions_are_unknown(
    gateway: str, line: Line, router: Router, other_tenant: Tenant
) -> None:
    charlie = new_line(other_tenant)
    for name in ("desk", "legal@1"):
        with pytest.raises(openai.NotFoundError) as refused:
            ask(charlie, gateway, name, PROMPT)
        assert refused.value.code == "model_not_found"


def test_models_list_routers(gateway: str, line: Line, router: Router) -> None:
    assert {model.id for model in line.client(gateway).models.list()} == {"billing", "desk", "legal", "tiny-llama"}


def test_a_target_that_went_away_is_told(gateway: str, line: Line, router: Router) -> None:
    with tenant_scope(line.tenant.id):
        Router.objects.update(rules=[{**router.rules[0], "target": "gone"}], revision=2)
    refusal(line, gateway, "desk", PROMPT, saying="sends this request to `gone`, which is not live")


def test_a_change_is_live_in_every_gateway(line: Line, router: Router) -> None:
    """Two directories are two processes: they share nothing but the database."""
    caller = Caller(tenant_id=line.tenant.id, key_id=line.key.id)

    async def targets(directories: list[Directory]) -> list[str | None]:
        found = [await directory.models(caller) for directory in directories]
        return [models.routers["desk"].decide(["amber"]).target if models.routers else None for models in found]

    async def until(directories: list[Directory], expected: str | None) -> None:
        deadline = time.monotonic() + SECONDS
        while await targets(directories) != [expected, expected]:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)

    async def main() -> None:
        directories = [Directory(), Directory()]
        try:
            await until(directories, "legal")
            rule = replace(DOCUMENT.rules[0], target="billing")
            await asyncio.to_thread(change, line, router, rules=(rule,))
            await until(directories, "billing")

            def delete() -> None:
                with tenant_scope(line.tenant.id):
                    delete_router(router=router)

            await asyncio.to_thread(delete)
            await until(directories, None)
        finally:
            for directory in directories:
                await asyncio.to_thread(directory.close)

    asyncio.run(main())


def test_hits_are_counted_once(gateway: str, line: Line, router: Router, tmp_path: Path) -> None:
    for text in (PROMPT, "amber, please", "Good morning"):
        ask(line, gateway, "desk", text)
    ask(line, gateway, "legal", PROMPT)
    assert collect(tmp_path / "ledger") == 4
    assert collect(tmp_path / "ledger") == 0
    ask(line, gateway, "desk", PROMPT)
    assert collect(tmp_path / "ledger") == 1
    with tenant_scope(line.tenant.id):
        assert hits_of_rules(router) == {router.rules[0]["id"]: 3, "default": 1}
        assert {hits.target for hits in RouterHits.objects.all()} == {"legal", "tiny-llama"}


def test_an_adapter_answers_before_a_router_of_its_name(line: Line) -> None:
    """No service lets this come about, but two at once might."""
    with tenant_scope(line.tenant.id):
        Router.objects.create(name="legal")
    models = find_models(line.tenant.id)
    assert "legal" in models.by_name
    assert not models.routers


def test_a_line_of_an_older_ledger_is_still_read() -> None:
    line = (
        b'{"request_id":"r","at":1.0,"tenant_id":"t","key_id":"","alias":"a","version_id":null,"deployment":null,'
        b'"status":200,"error_code":"","prompt_tokens":1,"completion_tokens":1,"latency_ms":1.0,"first_token_ms":null,'
        b'"busy_ms":1.0,"streamed":false,"trial_id":null,"caller":"","failed_over":false,"schema":1}'
    )
    assert InvocationRecord.from_json(line).router == ""

"""Never an answer of another tenant's adapter, or of another version than the one named in the answer."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from adapters.models import AdapterVersion
from serving.backends.vllm import VllmEndpoint
from serving.endpoints.reconciler import reconcile
from serving.models import Endpoint
from serving.promotions.services import roll_back
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.serving.conftest import user
from tests.serving.gateway.gateway_client import PROMPT, TOKENS, Line, new_line, put_live

pytestmark = pytest.mark.django_db(transaction=True)
MakeVersion = Callable[..., AdapterVersion]


def answer_of(line: Line, gateway: str, alias: str) -> tuple[str, str]:
    """(expected, given) of one request; expected by the version that the answer names."""
    raw = line.client(gateway).chat.completions.with_raw_response.create(
        model=alias, messages=user(PROMPT), max_tokens=TOKENS, temperature=0
    )
    version = int(raw.headers["x-adapter-version"])
    return line.answers[alias, version], raw.parse().choices[0].message.content or ""


def test_two_tenants_interleaved(
    tenant: Tenant,
    other_tenant: Tenant,
    gateway: str,
    vllm: VllmEndpoint,
    endpoint: Endpoint,
    make_version: MakeVersion,
) -> None:
    lines = [new_line(tenant), new_line(other_tenant)]
    for index, line in enumerate(lines):
        for offset, alias in enumerate(("shared-name", "second")):
            put_live(line, vllm, endpoint, make_version(line.tenant, alias, 10 + 2 * index + offset))
    texts = [text for line in lines for text in line.answers.values()]
    assert len(set(texts)) == 4, "the canaries must be told apart"
    asks = [(line, alias) for _ in range(12) for line in lines for alias in ("shared-name", "second")]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda a: answer_of(a[0], gateway, a[1]), asks))
    assert [given for _, given in answers] == [expected for expected, _ in answers]


def test_promotion_and_rollback_under_load(
    tenant: Tenant, gateway: str, vllm: VllmEndpoint, endpoint: Endpoint, make_version: MakeVersion
) -> None:
    line = new_line(tenant)
    first, second = make_version(tenant, "legal", 21), make_version(tenant, "legal", 22)
    route = put_live(line, vllm, endpoint, first)
    stop = threading.Event()

    def load() -> list[tuple[str, str]]:
        answers = []
        while not stop.is_set():
            answers.append(answer_of(line, gateway, "legal"))
        return answers

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(load) for _ in range(4)]
        try:
            time.sleep(1)
            put_live(line, vllm, endpoint, second)
            time.sleep(2)
            with tenant_scope(tenant.id):
                roll_back(tenant=tenant, route=route, created_by=None)
            reconcile()
            time.sleep(2)
        finally:
            stop.set()
        answers = [answer for future in running for answer in future.result()]
    assert [given for _, given in answers] == [expected for expected, _ in answers]
    assert {expected for expected, _ in answers} == set(line.answers.values()), "both versions must have answered"

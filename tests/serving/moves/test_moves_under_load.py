"""Callers notice nothing while their tenant is moved between two real engines."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.models import AdapterVersion
from serving.backends import endpoints
from serving.backends.vllm import VllmEndpoint
from serving.endpoints.services import ensure_endpoint
from serving.models import Endpoint, Route
from serving.moves.services import move_tenant
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.serving.conftest import user
from tests.serving.engine import KEY, Engine
from tests.serving.gateway.gateway_client import PROMPT, TOKENS, Line, new_line, put_live

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

MOVES = 4


class Caller(threading.Thread):
    """Asks without a pause; `wrong` are answers and errors that should not be."""

    def __init__(self, line: Line, gateway: str) -> None:
        super().__init__(daemon=True)
        self.answers = 0
        self.wrong: list[str] = []
        self.is_over = threading.Event()
        self._chat = line.client(gateway).chat.completions
        self._wanted = line.answers["legal", 1]

    def run(self) -> None:
        while not self.is_over.is_set():
            try:
                asked = self._chat.create(model="legal", messages=user(PROMPT), max_tokens=TOKENS, temperature=0)
                text = asked.choices[0].message.content or ""
            except Exception as error:
                text = repr(error)
            self.answers += 1
            if text != self._wanted:
                self.wrong.append(text)


def test_no_request_is_lost_and_none_is_answered_wrongly(
    gateway: str, vllm: VllmEndpoint, second_engine: Engine, tenant: Tenant, endpoint: Endpoint, tmp_path: Path,
    make_version: Callable[..., AdapterVersion], run_jobs: Callable[..., None], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    options = {"URL": second_engine.url, "API_KEY": KEY, "ADAPTER_DIR": tmp_path / "second"}
    second = VllmEndpoint("second", options)
    monkeypatch.setitem(endpoints.built, "second", second)
    monkeypatch.setattr("serving.endpoints.loading.known_answers", lambda version, limit: [])
    other = ensure_endpoint(name="second", backend="second", base_model=endpoint.base_model)
    line = new_line(tenant)
    put_live(line, vllm, endpoint, make_version(tenant, "legal", 1))
    callers = [Caller(line, gateway) for _ in range(3)]
    for caller in callers:
        caller.start()
    for number in range(MOVES):
        to = (other, endpoint)[number % 2]
        with tenant_scope(tenant.id):
            move_tenant(tenant=tenant, to=to)
        run_jobs()
        with tenant_scope(tenant.id):
            assert Route.objects.select_related("active__endpoint").get().active.endpoint == to
        seen = [caller.answers for caller in callers]
        while any(caller.answers < before + 5 for caller, before in zip(callers, seen, strict=True)):
            callers[0].join(timeout=0.02)
    for caller in callers:
        caller.is_over.set()
        caller.join(timeout=60)
    assert [caller.wrong for caller in callers] == [[], [], []]
    for name in second.list():
        second.delete(name)

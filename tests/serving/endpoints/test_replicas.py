"""Several engines behind one endpoint hold the same adapters, and one of them may be away."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.models import AdapterVersion
from serving.backends.base import EndpointBackend, Package, Status
from serving.backends.vllm import VllmEndpoint
from serving.backends.vllm.replicas import AVOIDED_SECONDS, Replicas, ReplicatedTarget
from serving.endpoints.asking import ask
from serving.endpoints.deployments import hold_deployment, move, package_of
from serving.endpoints.fingerprint import Fingerprint
from serving.endpoints.loading import fingerprint_of
from serving.endpoints.reconciler import reconcile
from serving.models import DeploymentState, Endpoint
from tenants.models import Tenant
from tests.serving.conftest import running_gateway, user
from tests.serving.endpoints.test_endpoint_contract import Canary, EndpointContract
from tests.serving.engine import Engine
from tests.serving.gateway.gateway_client import PROMPT, TOKENS, new_line, put_live

pytestmark = pytest.mark.slow


@pytest.fixture
def second_away(second_engine: Engine) -> Iterator[None]:
    second_engine.stop()
    yield
    second_engine.start()


class TestReplicas(EndpointContract):
    @pytest.fixture
    def backend(self, replicas: VllmEndpoint) -> EndpointBackend:
        return replicas

    def test_an_adapter_that_one_server_lacks_is_not_in_service(self, replicas: VllmEndpoint, package: Package) -> None:
        replicas.deploy("one", package)
        first, second = replicas.servers
        second.unload("one")
        assert replicas.describe("one").status is Status.MISSING
        assert replicas.list() == {"one": Status.FAILED}
        replicas.deploy("one", package)
        assert replicas.list() == {"one": Status.IN_SERVICE}
        assert "one" in first.listing().adapters & second.listing().adapters

    def test_a_server_that_is_away_is_left_out(
        self, replicas: VllmEndpoint, package: Package, second_away: None
    ) -> None:
        replicas.deploy("one", package)
        assert replicas.describe("one").status is Status.IN_SERVICE
        health = replicas.health()
        assert (health.ok, health.text, health.adapters) == (True, "1 of 2 servers does not respond.", 1)
        assert [target.model for target in replicas.targets("one")] == ["one"]
        answers = [ask(replicas.target("one"), user(PROMPT), max_tokens=8).text for _ in range(4)]
        assert len(set(answers)) == 1, "whoever is asked first"

    def test_each_server_answers_for_itself(self, replicas: VllmEndpoint, package: Package) -> None:
        replicas.deploy("one", package)
        answers = {ask(target, user(PROMPT), max_tokens=8).text for target in replicas.targets("one")}
        assert len(replicas.targets("one")) == 2
        assert len(answers) == 1


def test_they_are_asked_in_turn_and_those_that_were_away_last(replicas: VllmEndpoint) -> None:
    now = [0.0]
    servers = replicas.servers
    turns = Replicas(servers, clock=lambda: now[0])
    firsts = [turns.in_turn()[0] for _ in range(4)]
    assert firsts == [*servers, *servers]
    turns.was_away(servers[0])
    assert {turns.in_turn()[0] for _ in range(4)} == {servers[1]}
    now[0] = AVOIDED_SECONDS + 0.1
    assert {turns.in_turn()[0] for _ in range(4)} == set(servers)


def test_a_request_goes_to_each_server_before_it_waits(replicas: VllmEndpoint) -> None:
    target = replicas.target("one")
    assert isinstance(target, ReplicatedTarget)
    first = target.call("/completions", {}, request_id="r", tenant="t")
    assert (first.headers["x-request-id"], first.headers["x-gateway-inference-fairness-id"]) == ("r", "t")
    cancelling = target.cancelling("r")
    assert cancelling is not None
    assert cancelling.url.startswith(first.url.removesuffix("/completions"))
    assert target.has_another(was_away=True)
    second = target.call("/completions", {})
    assert second.url != first.url
    assert not target.has_another(was_away=False)
    assert target.call("/completions", {}).url == second.url, "the first was away"


@pytest.mark.django_db
def test_a_server_with_other_weights_is_noticed(
    replicas: VllmEndpoint, endpoint: Endpoint, in_tenant: Tenant, canary: Canary,
    make_version: Callable[..., AdapterVersion], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    version = make_version(in_tenant, "legal", 1)
    deployment = hold_deployment(endpoint=endpoint, version=version)
    replicas.deploy(deployment.name, package_of(version))
    answer = ask(replicas.servers[0].target(deployment.name), user(PROMPT), max_tokens=8).text
    monkeypatch.setattr("serving.endpoints.loading.known_answers", lambda version, limit: [(user(PROMPT), answer)])
    assert fingerprint_of(deployment) == Fingerprint(asked=1, matched=1)
    second = replicas.servers[1]
    second.unload(deployment.name)
    other = make_version(in_tenant, "support", 2)
    replicas.deploy("other", package_of(other))
    second.load(deployment.name, replicas.folder / other.package_sha256)
    assert fingerprint_of(deployment) == Fingerprint(asked=1, matched=0)


@pytest.mark.django_db
def test_a_server_that_comes_back_is_given_what_it_lacks(
    replicas: VllmEndpoint, second_engine: Engine, endpoint: Endpoint, in_tenant: Tenant,
    make_version: Callable[..., AdapterVersion],
) -> None:  # fmt: skip
    deployment = hold_deployment(endpoint=endpoint, version=make_version(in_tenant, "legal", 1))
    assert move(deployment, DeploymentState.IN_SERVICE)
    second_engine.stop()
    reconcile()
    second_engine.start()
    reconcile()
    assert deployment.name in replicas.servers[1].listing().adapters


@pytest.mark.django_db(transaction=True)
def test_callers_notice_nothing_of_a_server_that_dies(
    replicas: VllmEndpoint, second_engine: Engine, tenant: Tenant, endpoint: Endpoint,
    make_version: Callable[..., AdapterVersion], tmp_path: Path,
) -> None:  # fmt: skip
    line = new_line(tenant)
    put_live(line, replicas, endpoint, make_version(tenant, "legal", 1))
    wanted = line.answers["legal", 1]
    with running_gateway(tmp_path / "ledger") as gateway:
        chat = line.client(gateway).chat.completions

        def answer() -> str | None:
            asked = chat.create(model="legal", messages=user(PROMPT), max_tokens=TOKENS, temperature=0)
            return asked.choices[0].message.content

        assert {answer() for _ in range(6)} == {wanted}
        second_engine.stop()
        assert {answer() for _ in range(6)} == {wanted}
        second_engine.start()
        # It has restarted without its adapters, and the reconciler has not looked yet.
        assert {answer() for _ in range(6)} == {wanted}

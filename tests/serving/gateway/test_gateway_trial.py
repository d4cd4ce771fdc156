"""A trial at the gateway: each caller has one version, and nobody notices when the version on trial fails."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone

from adapters.models import AdapterVersion
from jobs.models import Job
from jobs.states import State
from metering.ledger.collector import collect
from serving.backends.vllm import VllmEndpoint
from serving.endpoints.deployments import hold_deployment, move, package_of
from serving.models import DeploymentState, Endpoint, Route, Trial, TrialCaller, TrialState
from serving.trials.services import end_trial
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.serving.conftest import user
from tests.serving.gateway.gateway_client import PROMPT, TOKENS, Line, new_line, put_live
from tests.serving.gateway.test_hang_up import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
MakeVersion = Callable[..., AdapterVersion]
PEOPLE = [f"person {number}" for number in range(40)]


@pytest.fixture
def line(tenant: Tenant, gateway: str, vllm: VllmEndpoint, endpoint: Endpoint, make_version: MakeVersion) -> Line:
    line = new_line(tenant)
    put_live(line, vllm, endpoint, make_version(tenant, "legal", 1))
    return line


@pytest.fixture
def trial(line: Line, vllm: VllmEndpoint, endpoint: Endpoint, make_version: MakeVersion) -> Trial:
    """The second version of `legal` answers half of the callers."""
    version = make_version(line.tenant, "legal", 2)
    with tenant_scope(line.tenant.id):
        candidate = hold_deployment(endpoint=endpoint, version=version)
        vllm.deploy(candidate.name, package_of(version))
        move(candidate, DeploymentState.IN_SERVICE)
        route = Route.objects.get(alias="legal")
        trial: Trial = Trial.objects.create(
            adapter=version.adapter, live=route.active, candidate=candidate, share=0.5, salt="salt",
            job=Job.objects.create(kind="trial", title="Try", state=State.RUNNING),
            window=dt.timedelta(hours=1), ends_at=timezone.now() + dt.timedelta(hours=6),
        )  # fmt: skip
    return trial


def version_for(line: Line, gateway: str, person: str, *, streamed: bool = False) -> int:
    """Which version answered a person."""
    asked = line.client(gateway).chat.completions.with_raw_response.create(
        model="legal", messages=user(PROMPT), max_tokens=TOKENS, temperature=0, user=person, stream=streamed
    )
    asked.http_response.read()
    return int(asked.headers["x-adapter-version"])


def wait_until_it_is_known(line: Line, gateway: str) -> None:
    wait_until(lambda: {version_for(line, gateway, person) for person in PEOPLE[:8]} == {1, 2})


def test_each_caller_has_one_version_until_the_trial_ends(
    gateway: str, line: Line, trial: Trial, tmp_path: Path
) -> None:
    wait_until_it_is_known(line, gateway)
    first = {person: version_for(line, gateway, person) for person in PEOPLE}
    assert 8 <= sum(version == 2 for version in first.values()) <= 32
    assert first == {person: version_for(line, gateway, person, streamed=True) for person in PEOPLE}
    collect(tmp_path / "ledger")
    with tenant_scope(line.tenant.id):
        callers = TrialCaller.objects.filter(trial=trial)
        assert callers.filter(in_canary=True).count() == sum(version == 2 for version in first.values())
        assert (callers.count(), callers.filter(errors__gt=0).count()) == (len(PEOPLE), 0)
        assert end_trial(trial, TrialState.STOPPED)
    wait_until(lambda: {version_for(line, gateway, person) for person in PEOPLE} == {1})


def test_what_the_version_on_trial_fails_to_answer_the_live_one_answers(
    gateway: str, line: Line, trial: Trial, vllm: VllmEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_until_it_is_known(line, gateway)
    target = vllm.target
    monkeypatch.setattr(vllm, "target", lambda name: target("gone" if name == trial.candidate.name else name))
    for streamed in (False, True):
        assert {version_for(line, gateway, person, streamed=streamed) for person in PEOPLE} == {1}
    collect(tmp_path / "ledger")
    with tenant_scope(line.tenant.id):
        callers = TrialCaller.objects.filter(trial=trial)
        assert callers.filter(in_canary=True, errors__gt=0).count() == callers.filter(in_canary=True).count() > 0
        assert not callers.filter(in_canary=False, errors__gt=0).exists()

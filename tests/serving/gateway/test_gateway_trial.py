"""A trial at the gateway: each caller has one version, and nobody notices when the version on trial fails."""

import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from adapters.models import AdapterVersion
from jobs.models import Job
from jobs.states import State
from metering.ledger.collector import collect
from metering.models import Invocation
from serving.backends.vllm import VllmEndpoint
from serving.endpoints.deployments import hold_deployment, move, package_of
from serving.models import DeploymentState, Endpoint, Route, Trial, TrialCaller, TrialCopy, TrialState
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
    monkeypatch.setattr("serving.gateway.waiting.HELD_SECONDS", 0.0)
    monkeypatch.setattr(vllm, "target", lambda name: target("gone" if name == trial.candidate.name else name))
    for streamed in (False, True):
        assert {version_for(line, gateway, person, streamed=streamed) for person in PEOPLE} == {1}
    collect(tmp_path / "ledger")
    with tenant_scope(line.tenant.id):
        callers = TrialCaller.objects.filter(trial=trial)
        assert callers.filter(in_canary=True, errors__gt=0).count() == callers.filter(in_canary=True).count() > 0
        assert not callers.filter(in_canary=False, errors__gt=0).exists()


def test_a_shadow_answers_copies_and_nobody_sees_them(gateway: str, line: Line, trial: Trial, tmp_path: Path) -> None:
    with tenant_scope(line.tenant.id):
        Trial.objects.filter(id=trial.id).update(share=0, copies_wanted=4)

    def copies() -> list[TrialCopy]:
        with tenant_scope(line.tenant.id):
            return list(trial.copies.all())

    def ask_until(count: int, *, streamed: bool) -> None:
        deadline = time.monotonic() + 60
        while len(copies()) < count:
            assert time.monotonic() < deadline
            assert version_for(line, gateway, "ruth", streamed=streamed) == 1

    ask_until(1, streamed=False)
    ask_until(4, streamed=True)
    kept = copies()
    assert len(kept) == 4
    assert {copy.live_text for copy in kept} == {line.answers["legal", 1]}
    [candidate] = {copy.candidate_text for copy in kept}
    assert candidate not in ("", line.answers["legal", 1])
    assert {copy.messages[0]["content"] for copy in kept} == {PROMPT}
    assert version_for(line, gateway, "ruth") == 1
    # Computing for a copy is metered, and no caller of the trial.
    collect(tmp_path / "ledger")
    with tenant_scope(line.tenant.id):
        versions = Invocation.objects.values_list("version_id", flat=True)
        # One too many may be under way when the last is kept.
        assert sum(version == trial.candidate.version_id for version in versions) >= 4
        assert TrialCaller.objects.get(trial=trial).in_canary is False


def test_what_has_more_than_text_is_not_copied(gateway: str, line: Line, trial: Trial) -> None:
    with tenant_scope(line.tenant.id):
        Trial.objects.filter(id=trial.id).update(copies_wanted=1_000)

    def copies() -> int:
        with tenant_scope(line.tenant.id):
            return int(trial.copies.count())

    def ask_until(count: int) -> None:
        deadline = time.monotonic() + 60
        while copies() < count:
            assert time.monotonic() < deadline
            # A caller of their own each time, since one is copied once.
            version_for(line, gateway, str(time.monotonic()))

    ask_until(1)
    parts: Any = [{"role": "user", "content": [{"type": "text", "text": PROMPT}]}]
    client = line.client(gateway)
    client.chat.completions.create(model="legal", messages=parts, max_tokens=2)
    client.chat.completions.create(model="legal", messages=user("a\0b"), max_tokens=2)
    client.completions.create(model="legal", prompt=PROMPT, max_tokens=2)
    ask_until(copies() + 2)
    with tenant_scope(line.tenant.id):
        assert {copy.messages[0]["content"] for copy in trial.copies.all()} == {PROMPT}
        assert trial.copies.values("caller").distinct().count() == copies()

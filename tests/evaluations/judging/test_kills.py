"""kill -9 of a process in the middle of judging: no verdict that is stored is paid for again."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from django.core.cache import cache

from evaluations.judging.jurors import CONCURRENCY
from evaluations.judging.plan import Plan, numbered
from evaluations.models import Verdict
from portal.embedded.process import spawn
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.evaluations.judges.scripted_model import Said, ScriptedModel, obedient, openai_server
from tests.evaluations.judging import judging_worker
from tests.evaluations.judging.case import one_criterion, rows

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parents[3]
ROWS = 150
SECONDS = 120.0
KILLS = 4


@pytest.fixture
def model() -> ScriptedModel:
    """A model that takes a moment, so that a kill finds calls in flight."""

    def says(system: str, user: str) -> Said:
        time.sleep(0.02)
        return obedient(system, user)

    return ScriptedModel(says=says)


@pytest.fixture
def url(model: ScriptedModel) -> Iterator[str]:
    cache.clear()
    with openai_server(model) as url:
        yield url


@contextmanager
def worker(tenant: Tenant, url: str, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    env = {**os.environ, "JUDGE_URL": url, "JUDGE_MODEL": "grader"}
    argv = [sys.executable, "-m", judging_worker.__name__, str(tenant.id), str(ROWS)]
    with log.open("ab") as file:
        process = spawn(argv, log=file.fileno(), death_signal=signal.SIGKILL, env=env, cwd=ROOT)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until(true: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, log.read_text()[-4000:]
        time.sleep(0.005)


def calls(model: ScriptedModel) -> Counter[str]:
    """By the prompt's text, which is another for each question."""
    return Counter(user for _, user in list(model.calls))


def stored(tenant: Tenant) -> set[str]:
    """Hashes of the prompts that have a verdict."""
    with tenant_scope(tenant.id):
        return set(Verdict.objects.values_list("prompt_sha256", flat=True))


def test_no_stored_verdict_is_paid_for_twice(tenant: Tenant, model: ScriptedModel, url: str, tmp_path: Path) -> None:
    chance, log = random.Random(5), tmp_path / "log"
    prompts = {one.prompt.sha256: one.prompt.user for _, one in numbered(Plan(rubric=one_criterion()), rows(ROWS))}
    paid: dict[str, int] = {}
    for kill in range(1, KILLS + 1):
        enough = kill * len(prompts) // (KILLS + 1) + chance.randrange(10)
        with worker(tenant, url, log):
            wait_until(partial(has_stored, tenant, enough), log)
        made = calls(model)
        paid |= {prompts[sha256]: made[prompts[sha256]] for sha256 in stored(tenant) if prompts[sha256] not in paid}
    with worker(tenant, url, log) as process:
        wait_until(lambda: process.poll() is not None, log)
        assert process.returncode == 0, log.read_text()[-4000:]
    made = calls(model)
    assert stored(tenant) == prompts.keys()
    assert made.keys() == set(prompts.values())
    assert {text: made[text] for text in paid} == paid, "a verdict that was stored was asked for again"
    assert made.total() - len(prompts) <= KILLS * CONCURRENCY, "more was lost than the calls in flight"


def has_stored(tenant: Tenant, enough: int) -> bool:
    return len(stored(tenant)) >= enough


def test_two_processes_at_once_pay_once(tenant: Tenant, model: ScriptedModel, url: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with worker(tenant, url, log) as one, worker(tenant, url, log) as other:
        wait_until(lambda: one.poll() is not None and other.poll() is not None, log)
        assert (one.returncode, other.returncode) == (0, 0), log.read_text()[-4000:]
    assert len(stored(tenant)) == 2 * ROWS == len(model.calls)

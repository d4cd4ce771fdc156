"""kill -9 of a process that asks an outside model: no answer that is stored is paid for again."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pytest_django import Settings

from evaluations.judges.services import create_judge
from evaluations.judging.jurors import CONCURRENCY
from evaluations.models import Answer, EvaluatedModel, EvaluationRun, JudgeKind
from evaluations.runs.contenders import contenders
from portal.embedded.process import spawn
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.evaluations.judges.scripted_model import Said, ScriptedModel, openai_server
from tests.evaluations.runs import answering_worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parents[3]
ROWS, KILLS, SECONDS = 60, 3, 120.0


def test_no_stored_answer_is_paid_for_twice(
    tenant: Tenant, make_evaluation: Callable[..., EvaluationRun], settings: Settings, tmp_path: Path
) -> None:
    asked: list[str] = []

    def answer(body: dict[str, list[dict[str, str]]]) -> Said:
        asked.append(body["messages"][-1]["content"])
        time.sleep(0.03)
        return Said(text="SHELF 1")

    run, log = make_evaluation(tenant, rows=ROWS), tmp_path / "log"
    with openai_server(ScriptedModel(chats=answer)) as address:
        host = urlsplit(address).netloc
        settings.JUDGE_PRIVATE_HOSTS = [host]
        with tenant_scope(tenant.id):
            judge = create_judge(tenant=tenant, name="GPT", kind=JudgeKind.OPENAI, model="large", address=address)
            (model,) = [one for one in contenders(run, base=False, versions=(), outside=[judge]) if one.judge]
            model.position = 9
            EvaluatedModel.objects.bulk_create([model])

        def stored() -> set[str]:
            with tenant_scope(tenant.id):
                found = Answer.objects.filter(model=model).values_list("item__messages", flat=True)
                return {messages[-1]["content"] for messages in found}

        paid: dict[str, int] = {}
        for kill in range(1, KILLS + 1):
            worker = _worker(tenant, run, host, log)
            try:
                _wait_until(lambda enough=kill * ROWS // (KILLS + 1): len(stored()) >= enough, log)  # type: ignore[misc]
            finally:
                os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()
            made = Counter(asked)
            paid |= {text: made[text] for text in stored() if text not in paid}
        worker = _worker(tenant, run, host, log)
        try:
            _wait_until(lambda: worker.poll() is not None, log)
        finally:
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
        assert worker.returncode == 0, log.read_text()[-4000:]
        made = Counter(asked)
        assert len(stored()) == ROWS
        assert {text: made[text] for text in paid} == paid, "an answer that was stored was asked for again"
        assert made.total() - ROWS <= KILLS * CONCURRENCY, "more was lost than the calls in flight"


def _worker(tenant: Tenant, run: EvaluationRun, host: str, log: Path) -> "subprocess.Popen[bytes]":
    env = {**os.environ, "JUDGE_PRIVATE_HOSTS": host}
    argv = [sys.executable, "-m", answering_worker.__name__, str(tenant.id), str(run.id)]
    with log.open("ab") as file:
        return spawn(argv, log=file.fileno(), death_signal=signal.SIGKILL, env=env, cwd=ROOT)


def _wait_until(true: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, log.read_text()[-4000:]
        time.sleep(0.005)

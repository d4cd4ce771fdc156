"""A SageMaker endpoint that nobody asks goes down to nothing, and comes back when it or an adapter is asked."""

import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from serving.backends.base import Package, Status
from standin.clock import ManualClock
from storage.objects import put_file
from tests.serving.endpoints.test_endpoint_contract import Canary
from tests.serving.sagemaker_endpoint import sagemaker_endpoint, waited
from tests.standin.deployment import running_standin

pytestmark = pytest.mark.slow

AT_ZERO = {"INSTANCES": 0, "LEAST_INSTANCES": 0, "COPIES": 0, "LEAST_COPIES": 0}


def test_a_request_that_finds_no_copy_starts_one(tmp_path: Path, canary: Canary) -> None:
    clock = ManualClock()
    path, sha256 = canary(1)
    put_file(f"canaries/{sha256}", path)
    with running_standin(tmp_path, clock=clock) as standin:
        backend = sagemaker_endpoint(standin, **AT_ZERO)

        def ask(model: str) -> tuple[int, int]:
            """The status of the answer, and the one that a caller gets."""
            document = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4, "temperature": 0}
            target = backend.target(model)
            call = target.call("/chat/completions", document)
            answer = httpx.post(call.url, headers=dict(call.headers), content=call.body, timeout=60)
            if answer.is_success:
                return answer.status_code, answer.status_code
            return answer.status_code, target.refused(answer.status_code, answer.headers, answer.content).status

        def is_at_zero() -> bool:
            return backend.health().text.startswith("The base model has scaled to zero copies")

        list(waited(backend.provision().create()))
        assert is_at_zero()
        assert ask("tiny-llama") == (400, 503), "the caller may try again"
        clock.advance(30)
        until(lambda: backend.health().ok)
        assert ask("tiny-llama") == (200, 200)
        backend.deploy("one", Package(key=f"canaries/{sha256}", sha256=sha256))
        until(lambda: backend.describe("one").status is Status.IN_SERVICE)
        assert ask("one") == (200, 200)
        clock.advance(900)
        until(is_at_zero)
        assert ask("one") == (400, 503)
        assert is_at_zero(), "an alarm looks when its period is over"
        clock.advance(30)
        until(lambda: not is_at_zero())


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)

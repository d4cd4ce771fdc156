"""The worker survives failures, gives up on clients that left, and refuses what it cannot take."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lorakit.base import load_for_serving, load_tokenizer
from lorakit.package import AdapterConfig
from lorakit.serve.adapters.pool import SlotPool, StoredAdapter
from lorakit.serve.steps import batcher as batching
from lorakit.serve.steps.batcher import Batcher, Job, Overloaded
from lorakit.serve.steps.decode import DecodeBatch
from lorakit.serve.steps.sequences import Sequence
from lorakit.serve.steps.share import Turn


class Waiter:
    """A job with a way to wait for its end."""

    def __init__(self, prompt: list[int], tokens: int, on_token: Callable[[int], bool] | None = None) -> None:
        self.ended = threading.Event()
        self.error: BaseException | None = None
        self.row = Sequence(prompt, 0, tokens, on_token=on_token)
        self.job = Job([self.row], None, self._finished)

    def _finished(self, error: BaseException | None) -> None:
        self.error = error
        self.ended.set()

    def wait(self) -> None:
        assert self.ended.wait(30)


@pytest.fixture
def batch(base: Path) -> DecodeBatch:
    """A batch that never ends by itself: it knows no end token."""
    model = load_for_serving(base)
    return DecodeBatch(model, SlotPool(model, slots=1, max_rank=4), end_ids=frozenset())


@pytest.fixture
def batcher(batch: DecodeBatch) -> Iterator[Batcher]:
    worker = Batcher(batch, width=4)
    worker.start()
    yield worker
    worker.stop()


@pytest.fixture(scope="module")
def prompt(base: Path) -> list[int]:
    ids: list[int] = load_tokenizer(base)("<|user|>Write a short text.<|end|><|assistant|>")["input_ids"]
    return ids


def test_more_requests_than_the_width_are_all_answered(batcher: Batcher, prompt: list[int]) -> None:
    waiters = [Waiter(prompt, 3 + number) for number in range(10)]
    for waiter in waiters:
        batcher.submit(waiter.job)
    for number, waiter in enumerate(waiters):
        waiter.wait()
        assert waiter.error is None
        assert len(waiter.row.tokens) == 3 + number
    assert batcher.depth() == (0, 0)


def test_a_short_answer_does_not_wait_for_a_long_one(batcher: Batcher, prompt: list[int]) -> None:
    under_way = threading.Event()

    def started(token: int) -> bool:
        under_way.set()
        return False

    long, short = Waiter(prompt, 600, started), Waiter(prompt, 2)
    batcher.submit(long.job)
    assert under_way.wait(30)
    batcher.submit(short.job)
    short.wait()
    assert not long.ended.is_set()
    long.job.cancelled.set()
    long.wait()


def test_a_client_that_left_is_given_up_on(batcher: Batcher, prompt: list[int]) -> None:
    waiter = Waiter(prompt, 1500)
    batcher.submit(waiter.job)
    waiter.job.cancelled.set()
    waiter.wait()
    assert waiter.row.finish == "cancelled"
    assert len(waiter.row.tokens) < 100


def test_a_failure_reaches_its_requests_and_the_worker_lives_on(
    batcher: Batcher, batch: DecodeBatch, prompt: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(turns: list[Turn[Sequence]]) -> None:
        raise RuntimeError("the device is gone")

    with monkeypatch.context() as patched:
        patched.setattr(batch, "step", broken)
        failing = Waiter(prompt, 4)
        batcher.submit(failing.job)
        failing.wait()
        assert isinstance(failing.error, RuntimeError)
    healthy = Waiter(prompt, 4)
    batcher.submit(healthy.job)
    healthy.wait()
    assert healthy.error is None


def test_an_adapter_that_cannot_be_read_fails_its_own_requests_only(batcher: Batcher, prompt: list[int]) -> None:
    config = AdapterConfig("tiny-llama", 4, 8.0, ("q_proj",), rank_stabilised=False)
    lost, healthy = Waiter(prompt, 4), Waiter(prompt, 4)
    lost.job.adapter = StoredAdapter("0" * 64, Path("/nowhere"), config, ("model.layers.0.self_attn.q_proj",))
    for waiter in (lost, healthy):
        batcher.submit(waiter.job)
        waiter.wait()
    assert isinstance(lost.error, FileNotFoundError)
    assert healthy.error is None


def test_a_full_queue_and_a_stopped_worker_refuse(
    batch: DecodeBatch, prompt: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "MAX_WAITING", 2)
    worker = Batcher(batch)
    waiting = [Waiter(prompt, 2), Waiter(prompt, 2)]
    for waiter in waiting:
        worker.submit(waiter.job)
    with pytest.raises(Overloaded):
        worker.submit(Waiter(prompt, 2).job)
    worker.start()
    for waiter in waiting:
        waiter.wait()
    worker.stop()
    with pytest.raises(Overloaded):
        worker.submit(Waiter(prompt, 2).job)

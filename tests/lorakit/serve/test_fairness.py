"""Work is divided among groups: nobody waits behind the many, the long or the slow of another."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lorakit.base import load_for_serving, load_tokenizer
from lorakit.package import AdapterConfig
from lorakit.serve.adapters.pool import SlotPool, StoredAdapter
from lorakit.serve.answers.talking import lead
from lorakit.serve.steps.batcher import Batcher, Job
from lorakit.serve.steps.decode import DecodeBatch
from lorakit.serve.steps.fairness import QUANTUM, FairQueue
from lorakit.serve.steps.key_values import SMALLEST
from lorakit.serve.steps.sequences import Sequence
from lorakit.serve.steps.share import Turn, divide

WIDTH = 4
CHUNK = 32
CONTEXT = 2048


def test_groups_take_turns_and_items_of_one_come_in_their_order() -> None:
    queue: FairQueue[str] = FairQueue()
    for item in ("a1", "a2", "a3", "b1", "c1", "c2"):
        queue.add(item[0], item)
    assert list(queue.in_order()) == ["a1", "b1", "c1", "a2", "c2", "a3"]
    queue.remove("a1")
    assert list(queue.in_order()) == ["a2", "b1", "c1", "a3", "c2"]


def test_who_was_served_less_goes_first_and_nobody_saves_up() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.add("a", "a1")
    queue.add("b", "b1")
    queue.serve("a1", 10 * QUANTUM)
    queue.serve("b1", 4 * QUANTUM)
    assert list(queue.in_order()) == ["b1", "a1"]
    queue.add("c", "c1")
    queue.serve("c1", QUANTUM)
    assert list(queue.in_order()) == ["b1", "c1", "a1"], "a newcomer begins level with the least served"


row_lengths = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 300)), min_size=1, max_size=24)


@given(row_lengths, st.integers(1, 200))
def test_the_tokens_of_a_step_are_shared(rows: list[tuple[str, int]], budget: int) -> None:
    given_rows = [(group, Sequence([1] * length, 0, 5)) for group, length in rows]
    turns = divide(given_rows, budget)
    got: dict[str, int] = {}
    needed: dict[str, int] = {}
    for group, row in given_rows:
        needed[group] = needed.get(group, 0) + row.pending
        got[group] = got.get(group, 0) + sum(turn.count for turn in turns if turn.row is row)
    assert sum(got.values()) == min(budget, sum(needed.values()))
    assert all(0 < turn.count <= turn.row.pending for turn in turns)
    for group, tokens in got.items():
        # Nobody has more than one who lacks, but for what does not divide evenly.
        assert tokens == needed[group] or tokens >= max(got.values()) - len(got)


def test_answers_under_way_say_a_token_whatever_is_read() -> None:
    reading, saying = Sequence([1] * 500, 0, 5), Sequence([1] * 5, 0, 5, tokens=[7], computed=5)
    turns = divide([("a", reading), ("b", saying)], 32)
    assert [(turn.row, turn.count) for turn in turns] == [(saying, 1), (reading, 32)]


class Steps:
    """A batcher whose steps are counted, and which does what it is told between two of them."""

    def __init__(self, base: Path) -> None:
        model = load_for_serving(base)
        self.batch = DecodeBatch(model, SlotPool(model, slots=2, max_rank=4), end_ids=frozenset())
        self.batcher = Batcher(self.batch, width=WIDTH, chunk=CHUNK)
        self.count = 0
        self.changed = threading.Condition()
        self.errand: Callable[[], None] | None = None
        self._step = self.batch.step
        self.batch.step = self.counted  # type: ignore[assignment, method-assign]
        self.batcher.start()

    def counted(self, turns: list[Turn[Sequence]]) -> None:
        self._step(turns)
        with self.changed:
            if self.errand is not None:
                self.errand()
                self.errand = None
            self.count += 1
            self.changed.notify_all()

    def between_steps(self, errand: Callable[[], None]) -> None:
        """Have something done while no step is under way, and before the next one is planned."""
        with self.changed:
            self.errand = errand
            assert self.changed.wait_for(lambda: self.errand is None, 60)

    def wait_for(self, steps: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.count >= steps, 60)


class Asked:
    """A request, and the steps at which its tokens came."""

    def __init__(
        self, steps: Steps, group: str, prompt: list[int], tokens: int, adapter: StoredAdapter | None = None
    ) -> None:
        self.steps = steps
        self.ended = threading.Event()
        self.error: BaseException | None = None
        self.came: list[int] = []
        self.began = steps.count
        self.row = Sequence(prompt, 0, tokens, on_token=self._note)
        self.job = Job([self.row], adapter, self._end, group=group)
        steps.batcher.submit(self.job)

    def _note(self, token: int) -> bool:
        self.came.append(self.steps.count)
        return False

    def _end(self, error: BaseException | None) -> None:
        self.error = error
        self.ended.set()

    def wait(self) -> None:
        assert self.ended.wait(60)
        assert self.error is None


@pytest.fixture
def steps(base: Path) -> Iterator[Steps]:
    steps = Steps(base)
    yield steps
    steps.batcher.stop()


@pytest.fixture(scope="module")
def prompt(base: Path) -> list[int]:
    ids: list[int] = load_tokenizer(base)("<|user|>Write.<|end|><|assistant|>")["input_ids"]
    return ids


def check_prompt_answer(steps: Steps, prompt: list[int]) -> None:
    """Asked while a step is under way, a short answer begins with the second one after it, and comes without a gap."""
    asked: list[Asked] = []
    steps.between_steps(lambda: asked.append(Asked(steps, "short", prompt, 6)))
    [short] = asked
    short.wait()
    assert short.came[0] - short.began <= 2
    assert short.came == list(range(short.came[0], short.came[0] + 6))


def test_two_hundred_queued_requests_of_one_delay_nobody_else(steps: Steps, prompt: list[int]) -> None:
    many = [Asked(steps, "many", prompt, 400) for _ in range(200)]
    steps.wait_for(20)
    check_prompt_answer(steps, prompt)
    check_prompt_answer(steps, prompt)
    assert not any(one.ended.is_set() for one in many)
    for one in many:
        one.job.cancelled.set()
    for one in many:
        one.wait()


def test_prompts_at_the_limit_of_the_context_delay_nobody_else(steps: Steps, prompt: list[int]) -> None:
    long = [Asked(steps, "long", [*prompt, *([5] * (CONTEXT - len(prompt) - 1))], 1) for _ in range(2)]
    steps.wait_for(5)
    check_prompt_answer(steps, prompt)
    assert not any(one.ended.is_set() for one in long)
    for one in long:
        one.wait()
    assert long[0].came[0] - long[0].began >= CONTEXT // CHUNK, "it was read in stretches"


def test_an_adapter_that_is_loading_delays_nobody_else(
    steps: Steps, prompt: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    loading, go_on = threading.Event(), threading.Event()

    def fill(slot: int, adapter: StoredAdapter) -> None:
        loading.set()
        assert go_on.wait(60)

    monkeypatch.setattr(steps.batch.pool, "fill", fill)
    config = AdapterConfig("tiny-llama", 4, 8.0, ("q_proj",), rank_stabilised=False)
    slow = Asked(steps, "slow", prompt, 3, StoredAdapter("0" * 64, Path("/nowhere"), config, ()))
    assert loading.wait(60)
    running = Asked(steps, "running", prompt, 1800)
    check_prompt_answer(steps, prompt)
    assert not slow.came
    running.job.cancelled.set()
    go_on.set()
    slow.wait()


def test_what_is_left_out_for_want_of_memory_is_read_again(base: Path, prompt: list[int]) -> None:
    model = load_for_serving(base)
    batch = DecodeBatch(model, SlotPool(model, slots=1, max_rank=4), end_ids=frozenset())
    wanted = []
    for number in range(6):
        row = Sequence([*prompt, 5 + number], 0, 100)
        while row.finish is None:
            batch.step(divide([("", row)], CHUNK))
        wanted.append(row.tokens)

    batcher = Batcher(batch, width=WIDTH, chunk=CHUNK, cache_tokens=300)
    batcher.start()
    ended = [threading.Event() for _ in wanted]
    rows = [Sequence([*prompt, 5 + number], 0, 100) for number in range(6)]
    for row, event in zip(rows, ended, strict=True):
        batcher.submit(Job([row], None, lambda error, event=event: event.set(), group=str(row.prompt[-1] % 2)))  # type: ignore[misc]
    assert all(event.wait(60) for event in ended)
    batcher.stop()
    assert [row.tokens for row in rows] == wanted
    assert batch.cache.size == 0, "nothing stays behind"


def test_followers_take_no_more_memory_than_there_is(base: Path, prompt: list[int]) -> None:
    model = load_for_serving(base)
    batch = DecodeBatch(model, SlotPool(model, slots=1, max_rank=4), end_ids=frozenset())
    batcher = Batcher(batch, width=WIDTH, chunk=CHUNK, cache_tokens=4 * SMALLEST)
    held: list[int] = []
    step = batch.step

    def watched(turns: list[Turn[Sequence]]) -> None:
        step(turns)
        held.append(sum(row.in_block.capacity for row in batch.cache.rows()))

    batch.step = watched  # type: ignore[assignment, method-assign]
    rows = [Sequence(prompt, 0, 5) for _ in range(12)]
    lead(rows, len(prompt) - 1)
    ended = threading.Event()
    batcher.submit(Job(rows, None, lambda error: ended.set()))
    batcher.start()
    assert ended.wait(60)
    batcher.stop()
    assert max(held) <= 4 * SMALLEST
    assert len({tuple(row.tokens) for row in rows}) == 1
    assert len(rows[0].tokens) == 5


def test_an_adapter_that_cannot_be_loaded_fails_all_rows_of_its_request_and_no_other(
    steps: Steps, prompt: list[int]
) -> None:
    config = AdapterConfig("tiny-llama", 4, 8.0, ("q_proj",), rank_stabilised=False)
    lost = StoredAdapter("0" * 64, Path("/nowhere"), config, ("model.layers.0.self_attn.q_proj",))
    long = Asked(steps, "long", prompt, 300)
    errors: list[BaseException | None] = []
    ended = threading.Event()

    def end(error: BaseException | None) -> None:
        errors.append(error)
        ended.set()

    steps.batcher.submit(Job([Sequence(prompt, 0, 5) for _ in range(3)], lost, end, group="lost"))
    assert ended.wait(60)
    assert [type(error) for error in errors] == [FileNotFoundError]
    assert not long.ended.is_set()
    long.job.cancelled.set()
    long.wait()


class Failing:
    """A guide whose parser gives up at the second token."""

    def __init__(self) -> None:
        self.has_failed = False
        self.taken = 0

    def mask(self, logits: torch.Tensor) -> torch.Tensor:
        return logits

    def take(self, token: int) -> bool:
        self.taken += 1
        self.has_failed = self.taken == 2
        return self.has_failed


def test_a_form_that_cannot_be_kept_fails_its_own_request_only(steps: Steps, prompt: list[int]) -> None:
    other = Asked(steps, "other", prompt, 60)
    row = Sequence(prompt, 0, 20, guide=Failing())
    errors: list[BaseException | None] = []
    ended = threading.Event()

    def end(error: BaseException | None) -> None:
        errors.append(error)
        ended.set()

    steps.batcher.submit(Job([row], None, end))
    assert ended.wait(60)
    assert isinstance(errors[0], RuntimeError)
    other.wait()
    assert len(other.row.tokens) == 60

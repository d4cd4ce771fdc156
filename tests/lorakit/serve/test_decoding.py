"""Rows that join, leave, sample and stop do not disturb one another."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from lorakit.base import end_token_ids, load_for_serving, load_tokenizer
from lorakit.serve.adapters.pool import SlotPool
from lorakit.serve.answers.text import TextStream
from lorakit.serve.steps.choosing import change
from lorakit.serve.steps.decode import DecodeBatch, decode_all, decode_each
from lorakit.serve.steps.sequences import Sampling, Sequence
from lorakit.serve.steps.share import divide


@pytest.fixture(scope="module")
def model(base: Path) -> PreTrainedModel:
    return load_for_serving(base)


@pytest.fixture(scope="module")
def tokenizer(base: Path) -> PreTrainedTokenizerFast:
    return load_tokenizer(base)


@pytest.fixture
def batch(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> DecodeBatch:
    pool = SlotPool(model, slots=1, max_rank=4)
    return DecodeBatch(model, pool, end_ids=end_token_ids(model, tokenizer))


def ask(tokenizer: PreTrainedTokenizerFast, text: str, tokens: int = 40, **sampling: float) -> Sequence:
    """A row that asks the base to repeat a text."""
    messages = [{"role": "user", "content": f"Repeat the text.\n{text}"}]
    prompt = str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
    ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    return Sequence(ids, 0, tokens, Sampling(**sampling))  # type: ignore[arg-type]


TEXTS = [
    "Mira Novak leaves Trodax Ltd on 3 May 2024.",
    "No rush.",
    "Please refund $41 for order BX-7734, I cancelled it last week.",
    "The laws of Oslo apply to this Agreement between Lorfen Inc and Kasta GmbH.",
]


def test_joining_later_gives_the_same_answer_as_alone(batch: DecodeBatch, tokenizer: PreTrainedTokenizerFast) -> None:
    alone = [ask(tokenizer, text) for text in TEXTS]
    for row in alone:
        decode_all(batch, [row], width=1)
    joining = [ask(tokenizer, text) for text in TEXTS]
    there: list[Sequence] = []
    for steps, row in zip((2, 2, 2, 90), joining, strict=True):
        there.append(row)
        for _ in range(steps):
            # Prompts are read a few tokens at a time, beside answers that are under way.
            if there := [one for one in there if one.finish is None]:
                batch.step(divide([("", one) for one in there], 7))
    assert [row.tokens for row in joining] == [row.tokens for row in alone]
    assert {row.finish for row in joining} == {"stop"}
    assert all(row.busy_seconds > 0 for row in joining)


def test_the_limit_ends_an_answer(batch: DecodeBatch, tokenizer: PreTrainedTokenizerFast) -> None:
    row = ask(tokenizer, TEXTS[0], tokens=3)
    decode_all(batch, [row], width=1)
    assert (len(row.tokens), row.finish) == (3, "length")


def test_sampling_repeats_with_a_seed_and_varies_without(
    batch: DecodeBatch, tokenizer: PreTrainedTokenizerFast
) -> None:
    def sample(seed: int) -> list[int]:
        row = ask(tokenizer, TEXTS[0], tokens=12, temperature=2.0, seed=seed)
        decode_all(batch, [row], width=1)
        return row.tokens

    assert sample(1) == sample(1)
    assert len({tuple(sample(seed)) for seed in range(5)}) > 1


def test_the_smallest_top_p_is_greedy(batch: DecodeBatch, tokenizer: PreTrainedTokenizerFast) -> None:
    greedy, narrow = ask(tokenizer, TEXTS[2]), ask(tokenizer, TEXTS[2], temperature=1.5, top_p=0.0)
    decode_all(batch, [greedy, narrow], width=2)
    assert narrow.tokens == greedy.tokens


def test_penalties_are_those_of_openai_and_vllm() -> None:
    sampling = Sampling(frequency_penalty=0.5, presence_penalty=0.25, repetition_penalty=2.0, logit_bias={4: 3.0})
    row = Sequence([1], 0, 9, sampling, tokens=[2, 2, 3])
    changed = change(row, torch.tensor([1.0, 1.0, 4.0, -4.0, 1.0]))
    assert changed.tolist() == [1.0, 0.5, 4 / 2 - 2 * 0.5 - 0.25, -4 * 2 - 0.5 - 0.25, 4.0]


def push_all(stream: TextStream, tokenizer: PreTrainedTokenizerFast, text: str) -> list[str]:
    pieces = []
    for token in tokenizer(text, add_special_tokens=False)["input_ids"]:
        pieces.append(stream.push(token))
        if stream.stopped:
            break
    return [*pieces, stream.finish()]


@pytest.mark.parametrize("text", ["Crème brûlée costs 4 €.", "日本語 ok", "a\n\tb  c", ""])
def test_pieces_add_up_and_hold_no_half_characters(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    pieces = push_all(TextStream(tokenizer, []), tokenizer, text)
    assert "".join(pieces) == text
    assert not any("\ufffd" in piece for piece in pieces)


def test_a_stop_string_is_cut_off_even_across_tokens(tokenizer: PreTrainedTokenizerFast) -> None:
    stream = TextStream(tokenizer, ["END now", "never"])
    pieces = push_all(stream, tokenizer, "one two ENDless END now and more")
    assert "".join(pieces) == "one two ENDless "
    assert stream.stopped
    assert not any("END now" in piece for piece in pieces)


def test_a_held_back_ending_comes_at_the_end(tokenizer: PreTrainedTokenizerFast) -> None:
    pieces = push_all(TextStream(tokenizer, ["stop here"]), tokenizer, "go and stop")
    assert "".join(pieces) == "go and stop"
    assert "stop" in pieces[-1]


def test_log_probabilities_are_those_of_one_pass_over_the_whole_answer(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast
) -> None:
    pool, ends = SlotPool(model, slots=1, max_rank=4), end_token_ids(model, tokenizer)
    batch = DecodeBatch(model, pool, end_ids=ends, log_probabilities=True)
    rows = [ask(tokenizer, text, tokens) for text, tokens in zip(TEXTS, (40, 40, 5, 1), strict=True)]
    rows.append(ask(tokenizer, TEXTS[0], 12, temperature=2.0, seed=1))
    assert sorted(map(id, decode_each(batch, iter(rows), width=2))) == sorted(map(id, rows))
    for row in rows:
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([row.prompt + row.tokens])).logits[0, len(row.prompt) - 1 : -1]
        expected = torch.log_softmax(logits, -1)[torch.arange(len(row.tokens)), row.tokens].sum()
        assert row.log_probability == pytest.approx(float(expected), abs=1e-3)
    assert {row.finish for row in rows} == {"stop", "length"}


def test_nobody_pays_for_log_probabilities_unasked(batch: DecodeBatch, tokenizer: PreTrainedTokenizerFast) -> None:
    row = ask(tokenizer, TEXTS[1])
    decode_all(batch, [row], width=1)
    assert row.log_probability == 0.0


def test_rows_are_taken_only_as_there_is_room(batch: DecodeBatch, tokenizer: PreTrainedTokenizerFast) -> None:
    taken: list[Sequence] = []

    def rows() -> Iterator[Sequence]:
        for number in range(9):
            taken.append(ask(tokenizer, f"Order {number} is late.", tokens=2))
            yield taken[-1]

    for finished, row in enumerate(decode_each(batch, rows(), width=2)):
        assert row.finish is not None
        assert len(taken) <= finished + 2
    assert len(taken) == 9

"""Examples in a prompt: where they stand, how many fit, and what a template that takes none gets."""

from pathlib import Path
from typing import Any

import pytest

from lorakit.base import context_in, load_tokenizer
from lorakit.contracts import GenerateSpec
from lorakit.errors import RunError
from lorakit.generate import examples as fitting
from lorakit.generate.examples import with_examples
from lorakit.generate.generation import generate
from lorakit.generate.prompts import encode_prompts
from lorakit.rows import ChatRow
from tests.lorakit.generation_runs import predictions, prepare, question

QUESTION = ChatRow(
    "q",
    [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Who are you?"},
        {"role": "assistant", "content": "expected"},
    ],
)

STRICT = (
    "{% for message in messages %}"
    "{% if loop.index0 >= 2 %}{{ raise_exception('one turn only') }}{% endif %}"
    "{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
)
"""Takes instructions and a question, and nothing else."""


def example(number: int, **more: Any) -> ChatRow:
    messages = [
        {"role": "system", "content": "Be long."},
        {"role": "user", "content": f"Question {number}?"},
        {"role": "assistant", "content": f"Answer {number}.", **more},
    ]
    return ChatRow(f"e{number}", messages)


@pytest.fixture(scope="module")
def tokenizer(base: Path) -> Any:
    return load_tokenizer(base)


def read(tokenizer: Any, ids: list[int]) -> str:
    return str(tokenizer.decode(ids))


def test_the_nearest_example_stands_next_to_the_question(tokenizer: Any) -> None:
    ids, count = with_examples(tokenizer, QUESTION, [example(1), example(2)], room=400)
    text = read(tokenizer, ids)
    order = [text.index(part) for part in ("Be brief.", "Question 2?", "Answer 2.", "Question 1?", "Who are you?")]
    assert (count, order) == (2, sorted(order))
    assert "Be long." not in text, "the instructions are the question's own"
    assert "expected" not in text


def test_the_least_useful_are_left_out_where_not_all_fit(tokenizer: Any) -> None:
    whole, _ = with_examples(tokenizer, QUESTION, [example(1), example(2), example(3)], room=400)
    ids, count = with_examples(tokenizer, QUESTION, [example(1), example(2), example(3)], room=len(whole) - 1)
    assert count == 2
    assert "Question 3?" not in read(tokenizer, ids)
    plain, none = with_examples(tokenizer, QUESTION, [example(1)], room=len(ids) // 3)
    assert (plain, none) == (encode_prompts(tokenizer, [QUESTION])[0], 0)


def test_examples_never_take_more_than_their_part(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = with_examples(tokenizer, QUESTION, [example(1)], room=400)
    plain, _ = with_examples(tokenizer, QUESTION, [], room=400)
    monkeypatch.setattr(fitting, "MOST_TOKENS", len(one) - len(plain))
    assert with_examples(tokenizer, QUESTION, [example(1), example(2)], room=400)[1] == 1


def test_a_template_that_refuses_them_gets_none(base: Path) -> None:
    tokenizer = load_tokenizer(base)
    tokenizer.chat_template = STRICT
    ids, count = with_examples(tokenizer, QUESTION, [example(1)], room=400)
    assert (ids, count) == (encode_prompts(tokenizer, [QUESTION])[0], 0)


def test_examples_that_the_template_would_cut_are_left_out(base: Path) -> None:
    tokenizer = load_tokenizer(base)
    tokenizer.chat_template = "{% for message in messages %}{{ message['content'] }}\n{% endfor %}"
    reasoned = example(1, reasoning_content="Because.")
    ids, count = with_examples(tokenizer, QUESTION, [reasoned, example(2)], room=400)
    assert count == 1
    assert "Question 1?" not in read(tokenizer, ids)


@pytest.mark.slow
def test_a_row_is_asked_with_examples_and_without(base: Path, tmp_path: Path) -> None:
    shown = [example(1).messages, example(2).messages]
    rows = [question(0, "Who are you?"), {**question(1, "Who are you?"), "examples": shown}]
    run = prepare(tmp_path, base, rows=rows, targets=("base",), max_new_tokens=4)
    assert isinstance(run.spec, GenerateSpec)
    generate(run)
    plain, with_two = predictions(run.output)
    assert (plain.examples, with_two.examples) == (0, 2)
    assert plain.prompt_tokens < with_two.prompt_tokens < context_in(base)


@pytest.mark.parametrize("examples", ["text", [["text"]], [[{"role": "user", "content": "no answer"}]]])
def test_bad_examples_are_refused(base: Path, tmp_path: Path, examples: Any) -> None:
    run = prepare(tmp_path, base, rows=[question(0, "Who?", examples=examples)], targets=("base",))
    with pytest.raises(RunError, match=r"Line 1 of rows\.jsonl is not a chat row"):
        generate(run)

"""What is learnt is the same whatever the base's chat template: whole answers with their end tokens, nothing else."""

from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from lorakit.contracts import Learn
from lorakit.errors import RunError
from lorakit.rows import ChatRow, parse_row
from lorakit.tiny.tokenizer import CHAT_TEMPLATE
from lorakit.train.examples import IGNORED, Example, RowEncoder, encode_rows
from tests.examples import examples
from tests.lorakit.chat_templates import (
    BOS_AND_EOS,
    CHATML,
    FORGETFUL,
    HEADERS,
    NO_END,
    OPENED_BY_PROMPT,
    TOOLS,
    tokenizer_with,
)

UNMARKED = CHAT_TEMPLATE.replace("{% generation %}", "").replace("{% endgeneration %}", "")
TRIMMING_MARKS = CHAT_TEMPLATE.replace("{% generation %}", "{%- generation -%}")

PLAIN = {
    "marked": (CHAT_TEMPLATE, "{}<|end|>"),
    "unmarked": (UNMARKED, "{}<|end|>"),
    "marks that trim": (TRIMMING_MARKS, "{}<|end|>"),
    "chatml": (CHATML, "{}<|im_end|>"),
    "headers": (HEADERS, "{}<|eot_id|>"),
    "bos and eos": (BOS_AND_EOS, " {}</s>"),
    "forgetful": (FORGETFUL, "{}<|im_end|>"),
    "tools": (TOOLS, "{}<|im_end|>"),
    "no end": (NO_END, " {}\n"),
}
"""Templates, and how each writes an answer."""

WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def row(*turns: tuple[str, str] | dict[str, Any], tools: list[dict[str, Any]] | None = None) -> ChatRow:
    """A row as a dataset has it; turns are (role, content) or whole messages."""
    messages = [turn if isinstance(turn, dict) else {"role": turn[0], "content": turn[1]} for turn in turns]
    return parse_row({"messages": messages, "tools": tools or []}, "7")


TWO_ANSWERS = row(("user", "One?"), ("assistant", "First."), ("user", "Two?"), ("assistant", "Second."))


def learnt(tokenizer: PreTrainedTokenizerFast, example: Example) -> list[str]:
    """Each run of learnt tokens, decoded; a label is its token or ignored."""
    runs: list[list[int]] = [[]]
    for token, label in zip(example.input_ids, example.labels, strict=True):
        assert label in (token, IGNORED)
        if label != IGNORED:
            runs[-1].append(token)
        elif runs[-1]:
            runs.append([])
    return [str(tokenizer.decode(run)) for run in runs if run]


def encode(base: Path, template: str, conversation: ChatRow, learn: Learn = "every_answer") -> list[list[str]]:
    """The learnt texts of each example that a row becomes."""
    tokenizer = tokenizer_with(base, template)
    return [learnt(tokenizer, example) for example in RowEncoder(tokenizer, learn).encode(conversation)]


@pytest.mark.parametrize("name", PLAIN)
def test_every_answer_or_only_the_last_is_learnt_with_its_end(base: Path, name: str) -> None:
    template, answer = PLAIN[name]
    both = [answer.format("First."), answer.format("Second.")]
    assert encode(base, template, TWO_ANSWERS) == [both]
    assert encode(base, template, TWO_ANSWERS, "last_answer") == [both[1:]]


@pytest.mark.parametrize("name", PLAIN)
def test_an_answer_of_weight_0_is_read_but_not_learnt(base: Path, name: str) -> None:
    template, answer = PLAIN[name]
    first, last = (
        row(
            ("user", "One?"),
            {"role": "assistant", "content": "First.", "weight": weights[0]},
            ("user", "Two?"),
            {"role": "assistant", "content": "Second.", "weight": weights[1]},
        )
        for weights in ((0, 1), (1, 0))
    )
    assert encode(base, template, first) == [[answer.format("Second.")]]
    assert encode(base, template, last) == [[answer.format("First.")]]
    assert encode(base, template, last, "last_answer") == []


@pytest.mark.parametrize("name", PLAIN)
def test_the_exact_tokens_of_a_short_row(base: Path, name: str) -> None:
    """What comes before the answer is the prompt, token for token; what comes behind its end is not learnt."""
    template, answer = PLAIN[name]
    tokenizer = tokenizer_with(base, template)
    short = row(("user", "One?"), ("assistant", "First."))
    [example] = RowEncoder(tokenizer, "every_answer").encode(short)
    prompt = tokenizer.apply_chat_template(short.messages[:1], tokenize=False, add_generation_prompt=True)
    text = str(tokenizer.apply_chat_template(short.messages, tokenize=False))
    before = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    counted = tokenizer(answer.format("First."), add_special_tokens=False)["input_ids"]
    ignored = len(example.input_ids) - len(before) - len(counted)
    assert example.labels == [IGNORED] * len(before) + counted + [IGNORED] * ignored
    assert example.input_ids == tokenizer(text, add_special_tokens=False)["input_ids"]


def test_a_template_that_changes_earlier_turns_gives_an_example_for_each_answer(base: Path) -> None:
    thoughtful = row(
        ("user", "One?"),
        {"role": "assistant", "content": "First.", "reasoning_content": "Hm."},
        ("user", "Two?"),
        {"role": "assistant", "content": "Second.", "reasoning_content": "Ah."},
    )
    tokenizer = tokenizer_with(base, FORGETFUL)
    first, second = RowEncoder(tokenizer, "every_answer").encode(thoughtful)
    assert learnt(tokenizer, first) == ["<think>Hm.</think>First.<|im_end|>"]
    assert learnt(tokenizer, second) == ["<think>Ah.</think>Second.<|im_end|>"]
    assert "Hm." not in tokenizer.decode(second.input_ids)
    assert encode(base, FORGETFUL, thoughtful, "last_answer") == [["<think>Ah.</think>Second.<|im_end|>"]]

    encoded = encode_rows(tokenizer, [thoughtful, TWO_ANSWERS], 512, learn="every_answer")
    assert (encoded.rows, len(encoded.examples)) == (2, 3)
    # A row is taken whole or not at all, however many examples it becomes.
    assert encode_rows(tokenizer, [thoughtful], len(first.input_ids), learn="every_answer").too_long == 1


def test_tool_calls_are_learnt_and_tool_turns_are_not(base: Path) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": {"city": "Rome", "days": 2}}}
    conversation = row(
        ("user", "Rain in Rome?"),
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "dry", "tool_call_id": "1", "name": "weather"},
        ("assistant", "It stays dry."),
        tools=[WEATHER],
    )
    asked, answered = "[call] weather city=Rome days=2<|im_end|>", "It stays dry.<|im_end|>"
    assert encode(base, TOOLS, conversation) == [[asked, answered]]
    assert encode(base, TOOLS, conversation, "last_answer") == [[answered]]
    tokenizer = tokenizer_with(base, TOOLS)
    [example] = RowEncoder(tokenizer, "every_answer").encode(conversation)
    assert '"name": "weather"' in tokenizer.decode(example.input_ids)
    assert "tool result\ndry" in tokenizer.decode(example.input_ids)


CALLING = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}
THINKING = {"role": "assistant", "content": "Yes.", "reasoning_content": "Hm."}


@pytest.mark.parametrize(
    ("template", "conversation", "code"),
    [
        (CHATML, row(("user", "?"), ("assistant", "Yes."), tools=[WEATHER]), "template_without_tools"),
        (CHATML, row(("user", "?"), CALLING), "template_without_tools"),
        (CHATML, row(("user", "?"), ("tool", "dry"), ("assistant", "Yes.")), "template_without_tools"),
        (TOOLS, row(("user", "?"), THINKING), "template_without_reasoning"),
        (BOS_AND_EOS, row(("system", "Be brief."), ("user", "?"), ("assistant", "Yes.")), "template_refused"),
        (OPENED_BY_PROMPT, row(("user", "?"), ("assistant", "Yes.")), "template_prompt_differs"),
        (OPENED_BY_PROMPT, TWO_ANSWERS, "template_prompt_differs"),
    ],
)
def test_a_template_that_cannot_say_it_is_refused(base: Path, template: str, conversation: ChatRow, code: str) -> None:
    with pytest.raises(RunError) as caught:
        encode(base, template, conversation)
    assert caught.value.code == f"training:{code}"


def test_a_prompt_that_differs_says_what_to_do_next(base: Path) -> None:
    with pytest.raises(RunError, match="Start the training again with another base model") as caught:
        encode(base, OPENED_BY_PROMPT, TWO_ANSWERS)
    assert "Your dataset needs no change" in str(caught.value)


@pytest.mark.parametrize("spelling", ["message['thinking']", "message.thinking", "message.get('reasoning_content')"])
def test_reasoning_is_read_under_both_of_its_names(base: Path, spelling: str) -> None:
    template = CHATML.replace("+ message['content']", f"+ ({spelling} or '') + message['content']")
    assert encode(base, template, row(("user", "?"), THINKING)) == [["Hm.Yes.<|im_end|>"]]


def test_names_reach_the_template(base: Path) -> None:
    tokenizer = tokenizer_with(base, CHATML.replace("message['role'] +", "message['role'] + (message.name or '') +"))
    named = row({"role": "user", "content": "?", "name": " ann"}, ("assistant", "Yes."))
    [example] = RowEncoder(tokenizer, "every_answer").encode(named)
    assert "user ann\n?" in tokenizer.decode(example.input_ids)
    assert learnt(tokenizer, example) == ["Yes.<|im_end|>"]


TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).filter(
    lambda text: "<" not in text and text == text.strip()
)
TURNS = st.lists(st.tuples(TEXTS, TEXTS, st.integers(0, 1)), min_size=1, max_size=4)


@pytest.mark.parametrize("name", ["marked", "unmarked", "chatml", "headers", "forgetful", "tools"])
@settings(max_examples=examples(40), deadline=None)
@given(turns=TURNS, learn=st.sampled_from(get_args(Learn)))
def test_what_is_learnt_is_exactly_the_answers(
    base: Path, name: str, turns: list[tuple[str, str, int]], learn: Learn
) -> None:
    template, answer = PLAIN[name]
    messages: list[dict[str, Any]] = []
    for question, text, weight in turns:
        messages += [{"role": "user", "content": question}]
        messages += [{"role": "assistant", "content": text, "weight": weight}]
    wanted = [answer.format(text) for _, text, weight in turns if weight]
    if learn == "last_answer":
        wanted = wanted[-1:] if turns[-1][2] else []
    found = encode(base, template, row(*messages), learn)
    assert found == ([wanted] if wanted else [])

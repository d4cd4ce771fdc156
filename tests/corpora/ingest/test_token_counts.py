"""The check counts the tokens that a training reads: those of the chat template too."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from corpora.ingest.contracts import Context, Turn
from corpora.ingest.texts.tokens import TURN_TOKENS, TokenCounter
from lorakit.base import load_tokenizer
from lorakit.rows import ChatRow
from lorakit.train.examples import RowEncoder
from tests.corpora.conftest import jsonl
from tests.corpora.ingest.checking import check

MODEL = Path(__file__).parents[3] / "lorakit" / "tiny" / "model"
WITH_INSTRUCTIONS = (
    "{% if messages[0]['role'] != 'system' %}<|system|>\nYou are a helpful assistant of many words.\n{% endif %}"
    "{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
QUESTION = [{"role": "user", "content": "When is the rent due?"}, {"role": "assistant", "content": "On 3 May."}]
TOOLS = [{"type": "function", "function": {"name": "due", "description": "When rent is due", "parameters": {}}}]


def counter(template: str = "") -> TokenCounter:
    return TokenCounter(Context(name="tiny", tokens=2048, tokenizer=str(MODEL / "tokenizer.json"), template=template))


def turns(messages: list[dict[str, Any]]) -> list[Turn]:
    return msgspec.convert(messages, list[Turn])


@pytest.mark.parametrize("messages", [QUESTION, [{"role": "system", "content": "Be brief."}, *QUESTION], QUESTION * 3])
@pytest.mark.parametrize("has_instructions", [False, True])
def test_a_row_has_as_many_tokens_as_its_training_example(
    messages: list[dict[str, Any]], has_instructions: bool
) -> None:
    tokenizer = load_tokenizer(MODEL)
    if has_instructions:
        tokenizer.chat_template = WITH_INSTRUCTIONS
    row = ChatRow(id="a", messages=messages, tools=[], muted=frozenset())
    [example] = RowEncoder(tokenizer, "every_answer").encode(row)
    assert counter(str(tokenizer.chat_template)).count(turns(messages)) == len(example.input_ids)


def test_tools_count_where_the_template_reads_them() -> None:
    reads = WITH_INSTRUCTIONS + "{% if tools %}{{ tools | tojson }}{% endif %}"
    tools = msgspec.json.encode(TOOLS)
    assert counter(reads).count(turns(QUESTION), tools) > counter(reads).count(turns(QUESTION))
    assert counter(WITH_INSTRUCTIONS).count(turns(QUESTION), tools) == counter(WITH_INSTRUCTIONS).count(turns(QUESTION))


@pytest.mark.parametrize("template", ["", "{{ raise_exception('Not you.') }}", "{% if %}", "{{ messages[9].content }}"])
def test_without_a_template_that_takes_the_row_its_tokens_are_estimated(template: str) -> None:
    texts = [turn["content"] for turn in QUESTION]
    plain = load_tokenizer(MODEL)(texts, add_special_tokens=False)["input_ids"]
    assert counter(template).count(turns(QUESTION)) == sum(map(len, plain)) + 2 * TURN_TOKENS


def test_instructions_of_the_template_make_short_rows_too_long(tmp_path: Path) -> None:
    long = WITH_INSTRUCTIONS.replace("of many words", "of many words " * 100)
    context = Context(name="tiny", tokens=200, tokenizer=str(MODEL / "tokenizer.json"), template=long)
    rows = jsonl(*({"prompt": f"Question {number}", "completion": "Yes"} for number in range(5)))
    outcome = check(rows, tmp_path, options={"over_long": "keep"}, context=context)
    assert {finding["code"] for finding in outcome.findings} == {"dataset:over_long"}
    assert len(outcome.findings) == 5

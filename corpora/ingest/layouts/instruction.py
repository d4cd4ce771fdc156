"""Alpaca's and Dolly's formats: {"instruction", "input", "output"}, with earlier turns in "history"."""

from dataclasses import replace
from typing import Any

from corpora.ingest.contracts import Turn
from corpora.ingest.layouts.layout import Layout, Raw, text_of
from corpora.ingest.layouts.system import SYSTEM_NAMES, system_turns
from corpora.ingest.problems import RowProblem

QUESTIONS = ("question", "query", "prompt")
ANSWERS = ("response", "answer", "completion")
CONTEXTS = ("context", "passage")


def _turns(raw: Raw) -> list[Turn]:
    instruction = text_of(raw.get("instruction"), "instruction")
    extra = raw.get("input")
    if extra not in (None, ""):
        instruction = f"{instruction}\n\n{text_of(extra, 'input')}"
    answer = text_of(raw.get("output"), "output")
    return [*system_turns(raw), *_history(raw.get("history")), Turn("user", instruction), Turn("assistant", answer)]


def _history(value: Any) -> list[Turn]:
    """Earlier questions and answers, as LLaMA-Factory has them: [[question, answer], …]."""
    if not value:
        return []
    turns: list[Turn] = []
    for index, said in enumerate(value if isinstance(value, list) else [value]):
        if not isinstance(said, list) or len(said) != 2:
            text = "“history” must be a list of pairs: [[question, answer], …]."
            raise RowProblem("data_type", f"history[{index}]", text)
        turns.append(Turn("user", text_of(said[0], f"history[{index}][0]")))
        turns.append(Turn("assistant", text_of(said[1], f"history[{index}][1]")))
    return turns


INSTRUCTION = Layout(
    "instruction",
    required=("instruction", "output"),
    optional=("input", "system", "history"),
    turns=_turns,
    aliases={"output": ANSWERS, "input": CONTEXTS, "system": SYSTEM_NAMES},
)


def _with(more: str) -> Layout:
    """Questions and answers with `more`, which would be lost if they were read as prompts and completions."""
    return replace(
        INSTRUCTION,
        required=(*INSTRUCTION.required, more),
        optional=tuple(field for field in INSTRUCTION.optional if field != more),
        aliases={**INSTRUCTION.aliases, "instruction": QUESTIONS},
        by_column=False,
    )


WITH_MORE = (_with("input"), _with("history"))

"""Conversations without roles: pairs of a question and an answer (Capybara, XTuner), or texts that alternate (LIMA)."""

from collections.abc import Mapping
from itertools import cycle
from typing import Any

from corpora.ingest.contracts import Turn
from corpora.ingest.layouts.chat import NAMES
from corpora.ingest.layouts.layout import Layout, Raw, text_of
from corpora.ingest.layouts.system import SYSTEM_NAMES, system_turns
from corpora.ingest.layouts.turns import check_conversation
from corpora.ingest.problems import RowProblem

PAIRS = (("input", "output"), ("human", "assistant"), ("user", "assistant"), ("question", "answer"))


def _turns(raw: Raw) -> list[Turn]:
    said = raw.get("messages")
    if not isinstance(said, list) or not said:
        text = "“messages” must be a list of pairs of a question and an answer, or of texts, as in the first row."
        raise RowProblem("data_type", "messages", text)
    turns = _of_texts(said) if isinstance(said[0], str) else _of_pairs(said)
    if turns[0].role != "system":
        turns = [*system_turns(raw), *turns]
    return check_conversation(turns, "messages")


def _of_texts(texts: list[Any]) -> list[Turn]:
    roles = cycle(("user", "assistant"))
    return [
        Turn(role, text_of(text, f"messages[{index}]"))  # type: ignore[arg-type]
        for index, (role, text) in enumerate(zip(roles, texts, strict=False))
    ]


def _of_pairs(pairs: list[Any]) -> list[Turn]:
    turns = []
    for index, pair in enumerate(pairs):
        names = _names_of(pair)
        if names is None:
            text = f"This is not a pair with “{PAIRS[0][0]}” and “{PAIRS[0][1]}”, as in the first turns."
            raise RowProblem("message_missing_key", f"messages[{index}]", text)
        if not index and pair.get("system"):
            turns.append(Turn("system", text_of(pair["system"], "messages[0].system")))
        asked, answered = (text_of(pair[name], f"messages[{index}].{name}") for name in names)
        turns += [Turn("user", asked), Turn("assistant", answered)]
    return turns


def _names_of(pair: Any) -> tuple[str, str] | None:
    if not isinstance(pair, Mapping):
        return None
    return next((names for names in PAIRS if set(names) <= pair.keys()), None)


def _fits(raw: Raw) -> bool:
    said = raw["messages"]
    if not isinstance(said, list) or not said:
        return False
    # Of the columns of a Parquet file, only the types are known, with None for a text.
    return _names_of(said[0]) is not None or all(text is None or isinstance(text, str) for text in said)


EXCHANGES = Layout(
    "exchanges",
    required=("messages",),
    optional=("system", "tools"),
    turns=_turns,
    fits=_fits,
    aliases={"messages": (*NAMES, "data"), "system": SYSTEM_NAMES},
    by_column=False,
)

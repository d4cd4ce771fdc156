"""Two datasets in real English, written by hand for the demo: a bank's support desk and a law firm's clauses.

They are invented and freely reusable under the project's licence. Nobody else's text is in them. Each file is one JSON
object a line, and `split` says which rows are held out: "train" or "test". The instruction is the system turn, so that
only the customer's or the contract's own words are compared when rows are checked for leaks.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

Corpus = Literal["support", "law"]

FOLDER = Path(__file__).parent
INTENT = "Which intent is this?"
REGISTER = "Which kind of clause is this, whom does it bind, and on what term?"


def written_rows(corpus: Corpus) -> list[dict[str, Any]]:
    """Chat rows {"messages", "split", "label"} in the file's order. `label` is the intent or the kind of clause."""
    return [_CHATS[corpus](row) for row in _lines(corpus)]


def _lines(corpus: Corpus) -> Iterator[dict[str, str]]:
    for line in (FOLDER / f"{corpus}.jsonl").read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _support(row: dict[str, str]) -> dict[str, Any]:
    """A customer's message, answered by its intent."""
    return _chat(INTENT, row["text"], row["intent"], split=row["split"], label=row["intent"])


def _law(row: dict[str, str]) -> dict[str, Any]:
    """A clause, answered as a line of a contract register: kind | bound party | key term, in the clause's words."""
    answer = f"{row['kind']} | {row['party']} | {row['term']}"
    return _chat(REGISTER, row["clause"], answer, split=row["split"], label=row["kind"])


def _chat(instruction: str, text: str, answer: str, *, split: str, label: str) -> dict[str, Any]:
    messages = [
        {"role": "system", "content": instruction},
        {"role": "user", "content": text},
        {"role": "assistant", "content": answer},
    ]
    return {"messages": messages, "split": split, "label": label}


_CHATS: dict[Corpus, Callable[[dict[str, str]], dict[str, Any]]] = {"support": _support, "law": _law}

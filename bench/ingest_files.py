"""The files of bench/ingest.py: five kinds that customers upload, each of about the same size.

Prompts have 40 to 400 characters, answers 100 to 1,000, labelled texts 40 to 300. Words are drawn uniformly from 5,000,
some with non-ASCII letters. One row in a hundred occurs twice. In JSON, every other row escapes non-ASCII letters.
"""

import csv
import json
import random
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]

LETTERS = "etaoinshrdlucmfwypvbgkéü"
LABELS = ("billing", "delivery", "returns", "login", "complaint", "praise", "other")
SOURCES = ("support", "sales", "forum")
ROWS_IN_GROUP = 5_000


class Words:
    """Draws texts; the same `seed` gives the same texts."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self._words = ["".join(self.draw.choices(LETTERS, k=self.draw.randint(2, 9))) for _ in range(5_000)]

    def text(self, low: int, high: int) -> str:
        """Words with `low` to `high` characters in total."""
        wanted = self.draw.randint(low, high)
        return " ".join(self.draw.choices(self._words, k=wanted // 6 + 1))[:wanted].strip() + "."


def conversation(words: Words) -> list[Row]:
    """One turn (70%) to three turns, half of them with a system prompt."""
    turns = [{"role": "system", "content": "You answer customers of Acme."}] if words.draw.random() < 0.5 else []
    for _ in range(words.draw.choice((1, 1, 1, 1, 1, 1, 1, 2, 2, 3))):
        turns.append({"role": "user", "content": words.text(40, 400)})
        turns.append({"role": "assistant", "content": words.text(100, 1_000)})
    return turns


def chat(words: Words, number: int) -> Row:
    """A conversation with the metadata of the system it comes from."""
    metadata = {
        "source": words.draw.choice(SOURCES),
        "ticket": number,
        "tags": words.draw.sample(LABELS, 2),
        "score": words.draw.randint(0, 100) / 100,
    }
    return {"messages": conversation(words), "metadata": metadata}


def prompt(words: Words, number: int) -> Row:
    """A prompt with its completion, an id and a split."""
    split = "test" if words.draw.random() < 0.1 else "train"
    asked, answer = words.text(40, 400), words.text(100, 1_000)
    return {"id": f"row-{number:08}", "prompt": asked, "completion": answer, "split": split}


def labelled(words: Words, number: int) -> Row:
    """A short text and its class."""
    return {"text": words.text(40, 300), "label": words.draw.choice(LABELS)}


def instruction(words: Words, number: int) -> Row:
    """An instruction with its output, as in a spreadsheet: with quotation marks and line breaks in cells."""
    output = words.text(100, 1_000)
    if words.draw.random() < 0.3:
        output = output.replace(" ", "\n", 2)
    asked = f'Explain "{words.text(5, 15)}": {words.text(20, 380)}'
    return {"number": number, "instruction": asked, "output": output, "topic": words.draw.choice(LABELS)}


def exported(words: Words, number: int) -> Row:
    """A conversation as model hubs store it."""
    return {"messages": conversation(words), "source": words.draw.choice(SOURCES)}


def write_jsonl(path: Path, rows: Iterator[Row], size: int) -> None:
    """Rows up to `size` bytes."""
    with path.open("w", encoding="utf-8") as file:
        for number, row in enumerate(rows):
            file.write(json.dumps(row, ensure_ascii=number % 2 == 0) + "\n")
            if number % 1_000 == 0 and file.tell() >= size:
                return


def write_csv(path: Path, rows: Iterator[Row], size: int) -> None:
    """Rows up to `size` bytes."""
    with path.open("w", encoding="utf-8", newline="") as file:
        first = next(rows)
        writer = csv.DictWriter(file, list(first))
        writer.writeheader()
        writer.writerow(first)
        for number, row in enumerate(rows):
            writer.writerow(row)
            if number % 1_000 == 0 and file.tell() >= size:
                return


def write_parquet(path: Path, rows: Iterator[Row], size: int) -> None:
    """Rows up to `size` bytes, in groups of `ROWS_IN_GROUP`."""
    writer: pq.ParquetWriter | None = None
    with path.open("wb") as file:
        while file.tell() < size:
            group = pa.Table.from_pylist(list(islice(rows, ROWS_IN_GROUP)))
            writer = writer or pq.ParquetWriter(file, group.schema)
            writer.write_table(group)
        if writer:
            writer.close()


Write = Callable[[Path, Iterator[Row], int], None]

KINDS: dict[str, tuple[Callable[[Words, int], Row], Write]] = {
    "chat.jsonl": (chat, write_jsonl),
    "prompt.jsonl": (prompt, write_jsonl),
    "label.jsonl": (labelled, write_jsonl),
    "instruction.csv": (instruction, write_csv),
    "chat.parquet": (exported, write_parquet),
}


def write_files(folder: Path, size: int) -> list[Path]:
    """A file of each kind, of about `size` bytes."""
    paths = []
    for seed, (name, (make, write)) in enumerate(KINDS.items()):
        write(folder / name, _rows(make, Words(seed)), size)
        paths.append(folder / name)
    return paths


def _rows(make: Callable[[Words, int], Row], words: Words) -> Iterator[Row]:
    number = 0
    while True:
        row = make(words, number)
        yield row
        number += 1
        if number % 100 == 0:
            yield row

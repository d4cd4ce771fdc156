"""The rows of an evaluation: the test split, or a fixed random sample of a large one."""

import heapq
import json
from collections.abc import Iterator
from dataclasses import dataclass

from corpora.models import DatasetVersion
from evaluations.judges.backends.base import Message
from storage.objects import open_object

ALL = "all"
"""The slice of rows without one; in results, the total."""

MAX_ROWS = 1000
"""Enough to tell a difference of 5 points from chance, and few enough to score in one step of a job."""


@dataclass(frozen=True, kw_only=True)
class HeldOutRow:
    """`messages` end before the reference; `id` is a hash of the row in 32 hexadecimal digits."""

    id: str
    messages: list[Message]
    reference: str
    slice: str


def held_out_rows(version: DatasetVersion, *, limit: int = MAX_ROWS) -> list[HeldOutRow]:
    """At most `limit` rows, ordered by id. Ids are hashes, so the smallest are a uniform sample, the same each time."""
    return heapq.nsmallest(limit, _read(version.test_key), key=lambda row: row.id)


def prompt_lines(rows: list[HeldOutRow]) -> Iterator[str]:
    """The rows as lorakit.generate reads them: the last message is the reference."""
    for row in rows:
        reference = {"role": "assistant", "content": row.reference}
        yield json.dumps({"id": row.id, "messages": [*row.messages, reference]}, ensure_ascii=False) + "\n"


def _read(key: str) -> Iterator[HeldOutRow]:
    with open_object(key) as file:
        for line in file:
            row = json.loads(line)
            *messages, last = row["messages"]
            yield HeldOutRow(id=row["id"], messages=messages, reference=last["content"], slice=row.get("slice") or ALL)

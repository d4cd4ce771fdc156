"""The rows of an evaluation: the test split or all of an evaluation set, or a fixed random sample of many."""

import heapq
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from corpora.ingest.texts.language import UNKNOWN, language_of
from corpora.models import DatasetVersion
from evaluations.judges.backends.base import Message
from lorakit.rows import Tool, parse_row, text_of
from storage.objects import open_object

ALL = "all"
"""The slice of rows without one; in results, the total."""

LANGUAGE = "language"
"""The column of each row's language, unless the customer's file has one of that name."""

LABEL = "label"
"""The column of each row's label, where rows have one."""

USUAL_ROWS = 1000
"""Enough to tell a difference of 5 points from chance."""

MOST_ROWS = 20_000


@dataclass(frozen=True, kw_only=True)
class HeldOutRow:
    """`messages` end before the reference; `id` is a hash of the row in 32 hexadecimal digits.

    Of a last turn that calls tools, the reference is the calls as JSON, one a line. `metadata` are values by column,
    among them the label, and the language as its ISO 639-1 code or `unknown`.
    """

    id: str
    messages: list[Message]
    reference: str
    slice: str
    tools: list[Tool] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)


def held_out_rows(version: DatasetVersion, *, limit: int = USUAL_ROWS) -> list[HeldOutRow]:
    """At most `limit` rows, ordered by id. Ids are hashes, so the smallest are a uniform sample, the same each time."""
    return heapq.nsmallest(limit, _rows(version), key=lambda row: row.id)


def rows_to_ask(version: DatasetVersion) -> int:
    """How many rows an evaluation on this version can have."""
    return version.row_count if version.is_evaluation_set else version.test_count


def _rows(version: DatasetVersion) -> Iterator[HeldOutRow]:
    if version.is_evaluation_set and version.train_key:
        yield from _read(version.train_key)
    if version.test_key:
        yield from _read(version.test_key)


def _read(key: str) -> Iterator[HeldOutRow]:
    with open_object(key) as file:
        for line in file:
            stored = json.loads(line)
            row = parse_row(stored, stored["id"])
            *messages, last = row.messages
            said = "\n".join(message["content"] for message in row.messages if message["role"] != "system")
            language = language_of(said)
            yield HeldOutRow(
                id=row.id,
                messages=messages,
                reference=text_of(last),
                slice=stored.get("slice") or ALL,
                tools=row.tools,
                metadata={
                    LANGUAGE: "unknown" if language == UNKNOWN else language,
                    **({LABEL: stored["label"]} if stored.get("label") else {}),
                    **stored.get("metadata", {}),
                },
            )

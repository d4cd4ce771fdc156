"""The training rows that alternatives to training answer from."""

import heapq
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from corpora.models import DatasetVersion
from lorakit.route.texts import texts_of
from lorakit.rows import Message, Tool, parse_row, text_of
from storage.objects import open_object

MOST_ROWS = 10_000
"""Of more training rows a fixed random sample is searched, so that an evaluation does not wait for minutes."""


@dataclass(frozen=True, kw_only=True)
class TrainingRow:
    """A row that was learnt: `messages` are all of it, `question` the text it is found by, `answer` its last turn."""

    id: str
    messages: list[Message]
    tools: list[Tool]
    question: str
    answer: str


@dataclass(frozen=True, kw_only=True)
class TrainingRows:
    """The rows to search, ordered by id, how many there are `of` them in all, and how many were left out.

    `copies` are the ids of those left out by their content, one of each.
    """

    rows: list[TrainingRow]
    of: int
    left_out: int = 0
    copies: dict[str, str] = field(default_factory=dict)


def training_rows(version: DatasetVersion, *, held_out: Collection[str] = ()) -> TrainingRows:
    """At most MOST_ROWS training rows. Raises ObjectMissing or FileNotFoundError if they are no longer stored.

    `held_out` are the `content_of` rows that are asked: a training row that is one of them is left out, for it would be
    its own answer. Ids are hashes, so the smallest are a uniform sample, the same each time.
    """
    total = left_out = 0
    copies: dict[str, str] = {}

    def usable() -> Iterator[TrainingRow]:
        nonlocal total, left_out
        for row in _read(version):
            content = content_of(row.messages[:-1], row.tools, row.answer)
            if content in held_out:
                left_out += 1
                copies[content] = row.id
            elif row.answer:
                total += 1
                yield row

    rows = heapq.nsmallest(MOST_ROWS, usable(), key=lambda row: row.id)
    return TrainingRows(rows=rows, of=total, left_out=left_out, copies=copies)


def rows_named(version: DatasetVersion, ids: Collection[str]) -> dict[str, TrainingRow]:
    """{id: row} of some training rows. Raises ObjectMissing or FileNotFoundError if they are no longer stored."""
    return {row.id: row for row in _read(version) if row.id in ids}


def question_of(messages: Sequence[Mapping[str, Any]]) -> str:
    """What a prompt is found by: what the user says, the newest first; all of it if the user says nothing."""
    said = texts_of({"messages": list(messages)}) or [str(message.get("content") or "") for message in messages]
    return "\n".join(said)


def content_of(messages: Sequence[Message], tools: Sequence[Tool], answer: str) -> str:
    """The same for rows that are equal, whichever split and dataset they are in."""
    return json.dumps([messages, tools, answer], sort_keys=True)


def _read(version: DatasetVersion) -> Iterator[TrainingRow]:
    with open_object(version.train_key) as file:
        for line in file:
            stored = json.loads(line)
            row = parse_row(stored, stored["id"])
            if len(row.messages) - 1 in row.muted:
                # An answer of weight 0 was not learnt.
                continue
            yield TrainingRow(
                id=row.id,
                messages=row.messages,
                tools=row.tools,
                question=question_of(row.messages[:-1]),
                answer=text_of(row.messages[-1]),
            )

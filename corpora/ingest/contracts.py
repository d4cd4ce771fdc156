"""What goes into a check and what comes out of it.

output/report.json is a `Report`. If it says `accepted`, output/ also holds rows.jsonl, train.jsonl and test.jsonl with
a `Row` a line; otherwise none of them.
"""

from dataclasses import dataclass, field
from typing import Literal

import msgspec

from lorakit.contracts import Document, Natural, Positive, Sha256, Share

REPORT = "report.json"
ROWS = "rows.jsonl"
TRAIN = "train.jsonl"
TEST = "test.jsonl"

MAX_PROBLEMS = 200
MAX_UNPACKED_BYTES = 4 << 30
MAX_ROW_BYTES = 1 << 20
MAX_SLICES = 50
MAX_NAME_LENGTH = 80

Role = Literal["system", "user", "assistant"]
Split = Literal["train", "test"]


@dataclass(frozen=True, kw_only=True)
class IngestSpec(Document):
    """`sha256` and `bytes` were counted while the file was received; another file is not checked in its place.

    A row may take `max_row_bytes`, as it is written in the file and as canonical JSON, and a packed file
    `max_unpacked_bytes`. `test_share` of the rows are held out where the file names no split.
    """

    sha256: Sha256
    bytes: Natural
    max_row_bytes: Positive = MAX_ROW_BYTES
    max_unpacked_bytes: Positive = MAX_UNPACKED_BYTES
    test_share: Share = 0.1
    schema: Literal[1] = 1


class Message(msgspec.Struct, frozen=True):
    """One turn of a conversation."""

    role: Role
    content: str


class Row(msgspec.Struct, frozen=True):
    """One canonical row; the last message is the answer to learn.

    `id` is 32 hexadecimal digits of the SHA-256 of the messages. `split` is null only until it has been drawn.
    """

    id: str
    messages: tuple[Message, ...]
    split: Split | None
    slice: str
    label: str | None


@dataclass(frozen=True, kw_only=True)
class Problem(Document):
    """Why something cannot be used: `line` counts from 1 (0: the whole file), `text` says how to mend it."""

    line: Natural
    field: str
    code: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Notice(Document):
    """Something that was put right or left out; `lines` are the first of `count`."""

    code: str
    count: Natural
    text: str
    lines: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Bin(Document):
    """Rows whose length is at least `low` and below `high` characters."""

    low: Natural
    high: Natural
    rows: Natural


@dataclass(frozen=True, kw_only=True)
class LengthProfile(Document):
    """Characters per row; quantiles are exact."""

    mean: float
    minimum: Natural
    p50: Natural
    p90: Natural
    p99: Natural
    maximum: Natural
    bins: tuple[Bin, ...]


@dataclass(frozen=True, kw_only=True)
class Count(Document):
    """Rows that share a slice or label, by split."""

    name: str
    train: Natural
    test: Natural


@dataclass(frozen=True, kw_only=True)
class Profile(Document):
    """What the rows look like; `slices` and `labels` come with the largest first."""

    prompt_characters: LengthProfile
    answer_characters: LengthProfile
    slices: tuple[Count, ...]
    labels: tuple[Count, ...]


@dataclass(frozen=True, kw_only=True)
class Report(Document):
    """The outcome of a check.

    `problems` are the first `MAX_PROBLEMS` of `problem_count`, one for each row that cannot be used;
    `position` says what their `line` counts. `preview` are rows with long texts cut short.
    """

    accepted: bool
    file_format: str
    layout: str = ""
    position: Literal["line", "row"] = "line"
    rows: Natural = 0
    train: Natural = 0
    test: Natural = 0
    rows_sha256: str = ""
    problem_count: Natural = 0
    problems: tuple[Problem, ...] = ()
    problems_by_code: dict[str, int] = field(default_factory=dict)
    warnings: tuple[Notice, ...] = ()
    profile: Profile | None = None
    preview: tuple[Row, ...] = ()
    schema: Literal[1] = 1

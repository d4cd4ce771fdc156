"""The input and output of a check.

An inspection leaves output/inspection.json, an `Inspection`. A check leaves output/report.json, a `Report`, and
output/findings.jsonl, a `Finding` a line. If the report says `accepted`, output/ also holds train.jsonl and test.jsonl
with a `Row` a line, and rows.idx, which says where each row lies (see `corpora.ingest.assembly.index`).
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec

from lorakit.contracts import Document, Natural, Positive, Share

INSPECTION = "inspection.json"
REPORT = "report.json"
FINDINGS = "findings.jsonl"
TRAIN = "train.jsonl"
TEST = "test.jsonl"
INDEX = "rows.idx"

MAX_PROBLEMS = 200
MAX_FINDINGS = 1_000_000
MAX_UNPACKED_BYTES = 16 << 30
MAX_ROW_BYTES = 1 << 20
MAX_SLICES = 50
MAX_NAME_LENGTH = 80
MAX_KEPT_COLUMNS = 8
SAMPLED_ROWS = 10_000
SHOWN_COLUMNS = 40
"""Number of columns whose values are shown in the preview."""

FIELDS = (
    "messages", "prompt", "completion", "instruction", "input", "output", "text", "label", "chosen", "rejected",
    "system", "tools", "history", "split", "slice", "group",
)  # fmt: skip
"""The fields that a column of the customer's file can be mapped to."""

Role = Literal["system", "user", "assistant", "tool"]
Split = Literal["train", "test"]
Format = Literal["", "jsonl", "json", "csv", "tsv", "parquet"]
Encoding = Literal["", "utf-8", "utf-16", "windows-1252"]
LayoutName = Literal[
    "", "chat", "ShareGPT", "exchanges", "transcript", "prompt and completion", "instruction", "classification",
    "preference", "KTO",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Options(Document):
    """Import options of a file. The same file with other options is another version.

    Empty options are detected, among them the `encoding` of text. `columns` maps one of `FIELDS` to a column of the
    file, for example {"prompt": "Question"}. `bad_rows` are refused with the whole file or left out; `personal_data` is
    e-mail addresses, phone, card and account numbers and keys; `over_long` are rows that do not fit into the `context`,
    a base model's name; `leaks` are the later of two rows with one prompt in both splits, `near_leaks` test rows much
    like a training row. `preferences` says whether preference data is refused, or the chosen answers are taken;
    `reasoning` is what an answer was thought out with.
    `metadata` are columns that are kept with each row for filtering, but not learnt from: those named, or by default
    those whose first values look like categories.
    `test_share` of the rows, or of the groups where a column for `group` is named, are held out where the file names no
    split; `seed` draws others.
    """

    file_format: Format = ""
    delimiter: Annotated[str, msgspec.Meta(max_length=1)] = ""
    encoding: Encoding = ""
    layout: LayoutName = ""
    columns: dict[str, str] = field(default_factory=dict)
    bad_rows: Literal["refuse", "leave_out"] = "refuse"
    personal_data: Literal["keep", "mask"] = "keep"
    over_long: Literal["keep", "leave_out"] = "keep"
    leaks: Literal["keep", "leave_out"] = "keep"
    near_leaks: Literal["keep", "leave_out"] = "keep"
    preferences: Literal["refuse", "chosen"] = "refuse"
    reasoning: Literal["drop", "keep"] = "drop"
    context: Annotated[str, msgspec.Meta(max_length=100)] = ""
    test_share: Share = 0.1
    seed: Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)] = 0
    metadata: Annotated[tuple[str, ...], msgspec.Meta(max_length=MAX_KEPT_COLUMNS)] | None = None
    schema: Literal[1] = 1


@dataclass(frozen=True, kw_only=True)
class Context(Document):
    """Context length of a base model in `tokens`, counted with the tokenizer file at `tokenizer`.

    Without a tokenizer file, tokens are estimated from the text's length. `template` is the source of the chat
    template, whose own tokens count; without it they are estimated.
    """

    name: str
    tokens: Positive
    tokenizer: str = ""
    template: str = ""


@dataclass(frozen=True, kw_only=True)
class IngestSpec(Document):
    """A file to check, with its size in `bytes` and its `sha256` if known. Any other file is refused.

    The task `inspect` reads only the head of the file, for a preview. `max_row_bytes` limits a row, in the file and as
    canonical JSON, and `max_unpacked_bytes` a compressed file. `room_bytes` is the customer's free storage for the
    rows; None means no limit. Near duplicates, languages and tokens are measured in `sampled_rows` rows.
    """

    bytes: Natural
    sha256: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")] = ""
    task: Literal["check", "inspect"] = "check"
    options: Options = field(default_factory=Options)
    context: Context | None = None
    max_row_bytes: Positive = MAX_ROW_BYTES
    max_unpacked_bytes: Positive = MAX_UNPACKED_BYTES
    room_bytes: Natural | None = None
    sampled_rows: Natural = SAMPLED_ROWS
    schema: Literal[1] = 1


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One turn of a conversation, as most files have them: a text."""

    role: Literal["system", "user", "assistant"]
    content: str


class Function(msgspec.Struct, frozen=True):
    """A tool that is called, and with what."""

    name: str
    arguments: dict[str, Any]


class ToolCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """A call of a tool in an answer. `type` is written although it is always the same, as in OpenAI's format."""

    function: Function
    type: str
    id: str = ""


class Turn(Message, frozen=True, omit_defaults=True):
    """One turn with all that training can use. What is not there is not written, so most turns are a `Message`.

    An answer of `weight` 0 is read and not learnt. `reasoning_content` is what an answer was thought out with.
    `tool_calls` are an answer's, whose content may then be empty; `tool_call_id` says which one a tool's turn answers.
    """

    role: Role  # type: ignore[assignment]
    name: str = ""
    weight: Literal[0, 1] = 1
    reasoning_content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


class Row(msgspec.Struct, frozen=True):
    """One canonical row; the last message is an answer to learn.

    `id` is the XXH3 of the messages and tools, 32 hexadecimal digits (see `corpora.ingest.rows`). `tools` are the
    functions that could be called, as in OpenAI's format. `metadata` are values by column for filtering, which no model
    reads.
    """

    id: str
    slice: str
    label: str | None
    messages: tuple[Turn, ...]
    tools: tuple[dict[str, Any], ...] = ()
    metadata: dict[str, str] = {}


@dataclass(frozen=True, kw_only=True)
class Problem(Document):
    """Why a row or file cannot be used. `line` counts from 1 (0: the whole file), `text` says how to fix it.

    With `stops`, it concerns the whole file, or the file from that line on.
    """

    line: Natural
    field: str
    code: str
    text: str
    stops: bool = False


class Finding(msgspec.Struct, frozen=True):
    """One line of findings.jsonl: a problem or a notice about one row, or about the whole file (`line` 0).

    `kept` says whether the row is in the version.
    """

    line: int
    field: str
    code: str
    text: str
    kept: bool


@dataclass(frozen=True, kw_only=True)
class Notice(Document):
    """A fact about usable rows. `lines` are the first of `count`.

    `decision` names the option that answers it, for example "personal_data"; empty if nothing is to be decided. A leak
    and a near leak concern `test_rows` of the version, among the `test_rows_read` that were looked at; both are 0 for
    others.
    """

    code: str
    count: Natural
    text: str
    lines: tuple[int, ...] = ()
    decision: Literal["", "personal_data", "over_long", "leaks", "near_leaks", "reasoning"] = ""
    test_rows: Natural = 0
    test_rows_read: Natural = 0


@dataclass(frozen=True, kw_only=True)
class Bin(Document):
    """Rows whose length is at least `low` and below `high`."""

    low: Natural
    high: Natural
    rows: Natural


@dataclass(frozen=True, kw_only=True)
class LengthProfile(Document):
    """Characters or tokens per row."""

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
class AnswerProfile(Document):
    """The last answers of the `rows` sampled rows where they are not empty: how many are `distinct` regardless of case
    and white space, the `longest` in characters, how many are `json` objects or lists, and how many others have the
    same separators in the same order, besides line breaks (`same_form`)."""

    rows: Natural
    distinct: Natural
    longest: Natural
    json: Natural
    same_form: Natural


@dataclass(frozen=True, kw_only=True)
class Profile(Document):
    """What the rows look like; counts come with the largest first.

    Characters, `slices`, `labels` and `turns` (messages per row) are of every row. `languages` (ISO 639-1, rows),
    `tokens` (of the whole row, by the tokenizer of `context`) and `answers` are of `sampled` rows, drawn by their ids.
    """

    prompt_characters: LengthProfile
    answer_characters: LengthProfile
    slices: tuple[Count, ...]
    labels: tuple[Count, ...]
    turns: tuple[Count, ...] = ()
    sampled: Natural = 0
    languages: tuple[Count, ...] = ()
    tokens: LengthProfile | None = None
    answers: AnswerProfile | None = None
    context: str = ""
    context_tokens: Natural = 0


@dataclass(frozen=True, kw_only=True)
class Report(Document):
    """The outcome of a check.

    `mapping` says which column each of `FIELDS` was read from, and `guessed` which of these were told by another name
    than the field's. `metadata` are the columns kept for filtering. `problems` are the first `MAX_PROBLEMS` of
    `problem_count`, one for each row that cannot be used; all of them, and a line for each row of a notice, are in
    findings.jsonl. `position` says what their `line` counts. `rows_sha256` is over train.jsonl and then test.jsonl.
    `packing` is how the file was compressed, `encoding` how its text is encoded; both are empty where there is nothing
    to say.
    """

    accepted: bool
    upload_sha256: str
    file_format: str
    packing: str = ""
    encoding: str = ""
    delimiter: str = ""
    layout: str = ""
    mapping: dict[str, str] = field(default_factory=dict)
    guessed: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
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
    schema: Literal[1] = 1


@dataclass(frozen=True, kw_only=True)
class Converted(Document):
    """A short text around the first character of a `line` that the file's encoding writes otherwise than UTF-8."""

    line: Natural
    text: str


@dataclass(frozen=True, kw_only=True)
class Inspection(Document):
    """The preview of a file with given options.

    `columns` are the file's own, in its order; `mapping` says which of them stands for which of `FIELDS`, and `guessed`
    which of these were told by another name than the field's, or by what they hold. `sample` are the first rows as they
    stand in the file, a text for each of the first columns, cut short; `rows` are the first that could be read and
    `problems` the first that could not. `proposed` are those of the guessed that only what the columns hold suggests: a
    check uses them only if they are confirmed as the option `columns`. `ignored` columns are not used. `metadata` are
    those kept for filtering, of the `keepable` that could be. `rows_read` rows were read for this, of which
    `rows_with_problems` cannot be used; `row_count` is how many the file has, if that is known. `notices` counts the
    rows read by the code of what is to be known about them. `packing` and `encoding` are as in a `Report`; `converted`
    are examples of what another encoding than UTF-8 changes, and `warnings` say what was done to read the file.
    `position` says what the `line` of a problem counts.
    """

    upload_sha256: str
    bytes: Natural
    packed: bool
    file_format: str
    packing: str = ""
    encoding: str = ""
    converted: tuple[Converted, ...] = ()
    delimiter: str = ""
    layout: str = ""
    position: Literal["line", "row"] = "line"
    columns: tuple[str, ...] = ()
    mapping: dict[str, str] = field(default_factory=dict)
    guessed: tuple[str, ...] = ()
    proposed: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    keepable: tuple[str, ...] = ()
    sample: tuple[dict[str, str], ...] = ()
    rows: tuple[Row, ...] = ()
    rows_read: Natural = 0
    rows_with_problems: Natural = 0
    row_count: Natural | None = None
    notices: dict[str, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Notice, ...] = ()
    schema: Literal[1] = 1

"""The documents exchanged between processes: frozen dataclasses, read from and written to JSON.

Every top-level document has a `schema`, its version. Reading is strict: an unknown key, a missing field
or a value of the wrong type raises `ContractError` naming the field.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Self, TypeVar

import msgspec

from lorakit.errors import ContractError

T = TypeVar("T")
Positive = Annotated[int, msgspec.Meta(ge=1)]
Natural = Annotated[int, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Learn = Literal["every_answer", "last_answer"]
"""Which of the assistant's turns in a conversation are learnt."""


def encode(document: object) -> str:
    """A document as one line of JSON."""
    return msgspec.json.encode(document).decode()


def decode(kind: type[T], text: str | bytes) -> T:
    """Read a document of the dataclass `kind`. Raises `ContractError`."""
    try:
        document = msgspec.json.decode(text, type=kind)
        if msgspec.json.encode(document) == (text.encode() if isinstance(text, str) else text):
            # As `encode` writes it, so it holds nothing else: the quick way for the ledger's lines.
            return document
        raw = msgspec.json.decode(text)
    except msgspec.ValidationError as error:
        field, message = split_message(str(error))
        raise ContractError(field, message) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError("", f"This is not JSON: {error}") from None
    for field in unknown_fields(raw, msgspec.to_builtins(document)):
        raise ContractError(field, "This is not a known field.")
    return document


def split_message(message: str) -> tuple[str, str]:
    """Split "Expected `int`, got `str` - at `$.r`" into ("r", "Expected `int`, got `str`")."""
    text, _, path = message.partition(" - at `$")
    field = path.rstrip("`").lstrip(".")
    if not field and "missing required field" in text:
        field = text.rsplit("`", 2)[1]
    return field, text


def unknown_fields(raw: Any, known: Any, prefix: str = "") -> Iterable[str]:
    """Dotted paths of keys in `raw` that are not fields."""
    if isinstance(raw, dict) and isinstance(known, dict):
        for key, value in raw.items():
            if key in known:
                yield from unknown_fields(value, known[key], f"{prefix}{key}.")
            else:
                yield f"{prefix}{key}"
    elif isinstance(raw, list) and isinstance(known, list):
        for index, (value, match) in enumerate(zip(raw, known, strict=True)):
            yield from unknown_fields(value, match, f"{prefix}{index}.")


class Document:
    """Mixin that reads and writes a frozen dataclass as JSON."""

    def to_json(self) -> str:
        """The document as one line of JSON."""
        return encode(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read a document. Raises `ContractError` naming the field."""
        return decode(cls, text)


@dataclass(frozen=True, kw_only=True)
class TrainSpec(Document):
    """One QLoRA training.

    `base_model` is a local directory, `base_id` the base's name to write into the adapter. Rows come from
    inputs/train/rows.jsonl and, for the evaluation loss, inputs/eval/rows.jsonl; each line is
    {"messages": [{"role", "content"}, ...]} as `lorakit.rows` reads it, and may have other keys. `max_length` is in
    tokens; `max_steps` > 0 overrides `epochs`; the batch size is per device. With 0 `threads` there are as many as the
    machine gives (OMP_NUM_THREADS, or one for each processor). `learn` never includes answers of weight 0.
    """

    base_model: str
    base_id: str
    r: Annotated[int, msgspec.Meta(ge=1, le=256)] = 16
    alpha: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 32
    dropout: Annotated[float, msgspec.Meta(ge=0.0, lt=1.0)] = 0.0
    target_modules: Literal["all-linear"] | tuple[str, ...] = "all-linear"
    epochs: Annotated[float, msgspec.Meta(gt=0.0)] = 3.0
    max_steps: int = -1
    learning_rate: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 2e-3
    scheduler: Literal["cosine", "linear", "constant", "constant_with_warmup"] = "cosine"
    warmup_steps: Natural = 10
    batch_size: Positive = 8
    gradient_accumulation: Positive = 1
    max_length: Annotated[int, msgspec.Meta(ge=8)] = 512
    quantization: Literal["nf4", "none"] = "nf4"
    seed: Natural = 0
    threads: Natural = 1
    save_steps: Positive = 50
    logging_steps: Positive = 5
    eval_steps: Positive = 50
    eval_rows: Natural = 64
    learn: Learn = "every_answer"
    schema: Literal[1] = 1


BASE_TARGET = "base"
MAX_TARGETS = 8
TARGET_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
RESERVED_TARGETS = frozenset({"code", "prompts", "spec"})
"""Input channels with another content."""


@dataclass(frozen=True, kw_only=True)
class GenerateSpec(Document):
    """Greedy answers of some models on one base to the same prompts.

    The target "base" is the base alone. Any other is an adapter, whose package is inputs/TARGET/adapter.tar.gz: 1 to 60
    lower-case letters, digits, dots, hyphens and underscores, the first a letter or digit, and no reserved name. There
    are 1 to 8 targets, so that SageMaker takes all of them as input channels.

    Prompts come from inputs/prompts/rows.jsonl, one {"id", "messages", "tools", "targets", "examples"} per line. Ids
    are unique. The last message is the assistant's reference and is left out of the prompt. `tools` may be missing, and
    so may `targets`, the names of the targets that are to answer this row: then all do. `examples`, which may be
    missing too, are conversations with their answers, the most useful first; as many as fit stand before the question.
    The answers are written to output/predictions.jsonl, one `Prediction` per line, ordered by row and then by target.

    `threads` are as in a `TrainSpec`.

    A later attempt with the same checkpoints and inputs keeps the answers that an earlier one wrote. Raises ValueError
    for targets that cannot be.
    """

    base_model: str
    targets: tuple[str, ...] = (BASE_TARGET, "adapter")
    max_new_tokens: Positive = 64
    batch_size: Positive = 32
    threads: Natural = 1
    schema: Literal[1] = 1

    def __post_init__(self) -> None:
        if not 1 <= len(self.targets) <= MAX_TARGETS:
            raise ValueError(f"There must be 1 to {MAX_TARGETS} targets, not {len(self.targets)}.")
        for target in self.targets:
            if not TARGET_NAME.fullmatch(target) or target in RESERVED_TARGETS:
                raise ValueError(f"{target!r} cannot be the name of a target.")
        if len(set(self.targets)) < len(self.targets):
            raise ValueError("Each target must have a name of its own.")


@dataclass(frozen=True, kw_only=True)
class Prediction(Document):
    """One answer; `id` is the id of its prompt, `target` who gave it.

    `completion_tokens` includes the end token, if the model generated one; then `finish` is "stop". `log_probability`
    is the sum of the natural logarithms of these tokens' probabilities, None if there are none because the prompt left
    no room. `seconds` is the answer's share of the model's time, `examples` how many were in the prompt. Files of older
    runs lack the last five fields.
    """

    id: str
    target: str
    text: str
    completion_tokens: Natural
    prompt_tokens: Natural = 0
    finish: Literal["stop", "length"] = "stop"
    log_probability: float | None = None
    seconds: float = 0.0
    examples: Natural = 0


@dataclass(frozen=True, kw_only=True)
class RowsRecord:
    """The rows of a file: their number, and a hash of their ids in order, one per line."""

    count: Natural
    ids_sha256: Sha256


@dataclass(frozen=True, kw_only=True)
class TrainManifest(Document):
    """What a trained adapter was made from, and how.

    Hashes are SHA-256 in hexadecimal. `data_sha256` and `rows` are by channel. `code` holds the `sha256` of lorakit's
    source, and its git `commit` and package `version` if they exist. Times are in Unix seconds: `started_at` is that of
    the first attempt, and `resumed_from` lists the steps at which later attempts resumed.
    """

    spec: TrainSpec
    versions: dict[str, str]
    base_sha256: Sha256
    data_sha256: dict[str, str]
    adapter_sha256: Sha256
    metrics: dict[str, float]
    rows: dict[str, RowsRecord] = field(default_factory=dict)
    code: dict[str, str] = field(default_factory=dict)
    seeds: dict[str, int] = field(default_factory=dict)
    device: str = ""
    started_at: float = 0.0
    ended_at: float = 0.0
    resumed_from: tuple[int, ...] = ()
    schema: Literal[1] = 1


@dataclass(frozen=True, kw_only=True)
class PhaseEvent(Document):
    """The run entered a phase. `t` is in Unix seconds; `seq` numbers the run's events from 1."""

    seq: Positive
    t: float
    phase: str
    type: Literal["phase"] = "phase"


@dataclass(frozen=True, kw_only=True)
class MetricEvent(Document):
    """The run's progress. `eta_seconds` is the time left, `fraction` the share done (0 to 1)."""

    seq: Positive
    t: float
    step: Natural
    total: Natural
    fraction: Share
    loss: float | None = None
    eval_loss: float | None = None
    learning_rate: float | None = None
    tokens_per_second: float | None = None
    eta_seconds: float | None = None
    type: Literal["metric"] = "metric"


@dataclass(frozen=True, kw_only=True)
class CheckpointEvent(Document):
    """A checkpoint to resume from was saved after a step."""

    seq: Positive
    t: float
    step: Natural
    type: Literal["checkpoint"] = "checkpoint"


@dataclass(frozen=True, kw_only=True)
class MessageEvent(Document):
    """A message for the person who reads the run."""

    seq: Positive
    t: float
    text: str
    type: Literal["message"] = "message"


ProgressEvent = PhaseEvent | MetricEvent | CheckpointEvent | MessageEvent
EVENT_TYPES: dict[str, type[ProgressEvent]] = {
    "phase": PhaseEvent,
    "metric": MetricEvent,
    "checkpoint": CheckpointEvent,
    "message": MessageEvent,
}


def decode_event(line: str | bytes) -> ProgressEvent:
    """Read a line of progress.jsonl. Raises `ContractError`."""
    try:
        kind = msgspec.json.decode(line, type=dict[str, Any]).get("type")
    except msgspec.DecodeError as error:
        raise ContractError("", f"This is not a JSON object: {error}") from None
    if not isinstance(kind, str) or kind not in EVENT_TYPES:
        raise ContractError("type", f"There is no event of type {kind!r}.")
    return decode(EVENT_TYPES[kind], line)


@dataclass(frozen=True, kw_only=True)
class Artifact(Document):
    """A file that a run wrote to output/."""

    name: str
    sha256: Sha256
    bytes: Natural


@dataclass(frozen=True, kw_only=True)
class Failure(Document):
    """Why a run did not succeed. `text` says what to do, `temporary` whether trying again may help."""

    code: str
    text: str
    temporary: bool = False


@dataclass(frozen=True, kw_only=True)
class RunResult(Document):
    """The result of a run: result.json."""

    ok: bool
    artifacts: tuple[Artifact, ...] = ()
    metrics: dict[str, float] = field(default_factory=dict)
    error: Failure | None = None
    cancelled: bool = False
    schema: Literal[1] = 1


@dataclass(frozen=True, kw_only=True)
class InvocationRecord(Document):
    """An answered or refused inference request. `at` is in Unix seconds, durations are in milliseconds.

    `endpoint` is the name of the one that was asked, empty if none was. `cached_tokens` are those of the prompt that
    the endpoint did not read again. Where it tells, `queue_ms` is how long it let the request wait, and `cold_start`
    says that the adapter had to be loaded first.

    Where a trial runs, `caller` is a hash of whoever asked, and `failed_over` says that the version on trial failed and
    the live one answered instead. Where a router chose the model, `router` is its name, `routed_by` is "rule",
    "classifier" or "default", and `rule_id` the rule.
    """

    request_id: str
    at: float
    tenant_id: str
    key_id: str
    alias: str
    version_id: str | None
    deployment: str | None
    status: int
    error_code: str
    prompt_tokens: Natural
    completion_tokens: Natural
    latency_ms: float
    first_token_ms: float | None
    busy_ms: float
    streamed: bool
    endpoint: str = ""
    cached_tokens: Natural = 0
    queue_ms: float | None = None
    cold_start: bool = False
    trial_id: str | None = None
    caller: str = ""
    failed_over: bool = False
    router: str = ""
    routed_by: str = ""
    rule_id: str = ""
    schema: Literal[1] = 1

"""The contract of a compute backend: run one module of ours on some input, elsewhere, and tell how it goes."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar


class ComputeError(Exception):
    """The backend could not do as asked now; `temporary` ones are worth another try."""

    def __init__(self, code: str, text: str, *, temporary: bool) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.temporary = temporary


class Unavailable(ComputeError):
    """The backend cannot be asked, or has no room, now. What was asked of it may have been done all the same.

    So it is never a reason for a second run: the same one is looked for again after `after` seconds.
    """

    def __init__(self, code: str, text: str, *, after: float = 10.0) -> None:
        super().__init__(code, text, temporary=True)
        self.after = after


@dataclass(frozen=True, kw_only=True)
class InputFile:
    """An object in storage and the name it gets in its channel's folder."""

    key: str
    filename: str


@dataclass(frozen=True, kw_only=True)
class ComputeSpec:
    """What to run: `python -m module` on `spec`, with `inputs` by channel.

    `checkpoint_key` is the same for every attempt of a job, so that a later attempt resumes an earlier one. `tags`
    say whose it is ("tenant", "job", "attempt"), for the bill and for knowing a run again.
    """

    module: str
    spec: dict[str, Any]
    inputs: dict[str, tuple[InputFile, ...]] = field(default_factory=dict)
    checkpoint_key: str = ""
    tags: dict[str, str] = field(default_factory=dict)


class RunState(StrEnum):
    """`missing`: never submitted under this name. `lost`: it ended without leaving a result."""

    MISSING = "missing"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    LOST = "lost"


@dataclass(frozen=True, kw_only=True)
class Observation:
    """How a run goes. `events` are those after the cursor given, the last ones perhaps again.

    `cursor` is where to go on, `result` the run's own result document (see lorakit.rundir), `billable_seconds` so far.
    """

    state: RunState
    events: tuple[dict[str, Any], ...] = ()
    cursor: int = 0
    result: dict[str, Any] = field(default_factory=dict)
    billable_seconds: float = 0.0


class ComputeBackend(ABC):
    """One place that runs compute. Every method may be called twice with the same arguments."""

    options: ClassVar[dict[str, Any]] = {
        "MAX_RUNNING": 2,
        "MAX_RUNNING_PER_TENANT": 0,
        "POLL_SECONDS": 0.0,
        "PRICE_USD_PER_HOUR": 0.0,
        "PRICE_SOURCE": "",
    }

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        unknown = set(options) - set(self.options)
        if unknown:
            raise ValueError(f"COMPUTE[{alias!r}] has unknown options: {', '.join(sorted(unknown))}")
        self.alias = alias
        merged = {**self.options, **options}
        self.max_running: int = merged["MAX_RUNNING"]
        # 0 for as many as run at all. With fewer, a newcomer waits for nobody.
        self.max_running_per_tenant: int = merged["MAX_RUNNING_PER_TENANT"] or self.max_running
        # Where looking costs something, it is done no more often than this.
        self.poll_seconds: float = merged["POLL_SECONDS"]
        self.usd_per_hour: float = merged["PRICE_USD_PER_HOUR"]
        self.price_source: str = merged["PRICE_SOURCE"]

    @abstractmethod
    def submit(self, name: str, spec: ComputeSpec) -> None:
        """Start the run called `name`; one that exists already is left alone.

        Large inputs may take several calls: until all are there, the run is missing still.
        """

    @abstractmethod
    def observe(self, name: str, cursor: int = 0) -> Observation:
        """How the run called `name` goes; also tells it that somebody still cares."""

    @abstractmethod
    def cancel(self, name: str) -> None:
        """Ask the run to end soon; `observe` tells when it has."""

    @abstractmethod
    def fetch(self, name: str, artifact: str, destination: Path) -> None:
        """Copy one artifact of a succeeded run to a local file."""

    def log_tail(self, name: str, lines: int = 100) -> tuple[str, ...]:
        """The last lines that the run called `name` printed, oldest first, without its events."""
        return ()

    def register(self, name: str, package: Path, *, model: str, metadata: dict[str, str]) -> str:
        """Make the package of a succeeded run known to the backend's model registry; its address there.

        Empty where there is no registry. `model` names what it is a version of, `metadata` is shown beside it.
        """
        return ""

    @abstractmethod
    def discard(self, name: str, *, checkpoint_key: str = "") -> None:
        """Forget an ended run and what it left; with `checkpoint_key`, its checkpoints too."""

"""The contract of a compute backend: run a module of this project on some input elsewhere, and report its progress."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Self

from jobs.aliases import merge_options
from jobs.prices import Priced, stated


class ComputeError(Exception):
    """The backend could not do what was asked; if `temporary`, a later try may succeed."""

    def __init__(self, code: str, text: str, *, temporary: bool) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.temporary = temporary


class Unavailable(ComputeError):
    """The backend cannot be reached or has no room at the moment. It may still have done what was asked.

    So this never justifies a second run: check the same run again after `after` seconds.
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

    `base_uri` is where a cloud reads the base model that `spec` names, if that is known. `checkpoint_key` is the same
    for every attempt of a job, so that a later attempt resumes an earlier one. `tags` name its owner ("tenant", "job",
    "attempt"), for cost allocation and to recognise the run.
    """

    module: str
    spec: dict[str, Any]
    inputs: dict[str, tuple[InputFile, ...]] = field(default_factory=dict)
    base_uri: str = ""
    checkpoint_key: str = ""
    tags: dict[str, str] = field(default_factory=dict)


class RunState(StrEnum):
    """`missing`: never submitted under this name. `lost`: ended without a result."""

    MISSING = "missing"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    LOST = "lost"


@dataclass(frozen=True, kw_only=True)
class Observation:
    """The state of a run. `events` follow the given cursor; the last ones before it may be repeated.

    `cursor` is where the next observation continues, `result` the run's own result document (see lorakit.rundir),
    `billable_seconds` the seconds so far.
    """

    state: RunState
    events: tuple[dict[str, Any], ...] = ()
    cursor: int = 0
    result: dict[str, Any] = field(default_factory=dict)
    billable_seconds: float = 0.0


class ComputeBackend(ABC):
    """A place that runs compute. Every method is safe to call twice with the same arguments."""

    options: ClassVar[dict[str, Any]] = {
        "MAX_RUNNING": 2,
        "MAX_RUNNING_PER_TENANT": 0,
        "POLL_SECONDS": 0.0,
        "PRICE_USD_PER_HOUR": 0.0,
        "PRICE_SOURCE": "",
    }

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        self.alias = alias
        merged = merge_options("COMPUTE", alias, self.options, options)
        self.max_running: int = merged["MAX_RUNNING"]
        # 0 for as many as run at all. With fewer, another tenant's first job never waits for the rest of one's.
        self.max_running_per_tenant: int = merged["MAX_RUNNING_PER_TENANT"] or self.max_running
        # Minimum time between two observations, for backends that charge for them or limit them.
        self.poll_seconds: float = merged["POLL_SECONDS"]
        self.usd_per_hour: float | None = stated(merged["PRICE_USD_PER_HOUR"], merged["PRICE_SOURCE"])
        self.price_source: str = merged["PRICE_SOURCE"]

    @property
    def priced(self) -> Priced:
        """What an hour of it is priced as."""
        return Priced(service="training", item=self.alias)

    def on(self, machine: str) -> Self:
        """The same backend with runs on another type of machine, and that one's price; empty for its own.

        One that has only one machine returns itself.
        """
        return self

    def reads_base_model(self, location: str) -> bool:
        """Whether runs can read the base model at this folder of the portal's or address of a cloud's."""
        return True

    @abstractmethod
    def submit(self, name: str, spec: ComputeSpec) -> None:
        """Start the run called `name`, unless it already exists.

        Large inputs may take several calls. Until all of them are copied, the run's state is `missing`.
        """

    @abstractmethod
    def observe(self, name: str, cursor: int = 0) -> Observation:
        """The state of the run called `name`. Also renews the run's lease, where the backend has leases."""

    @abstractmethod
    def cancel(self, name: str) -> None:
        """Ask the run to end soon; `observe` reports when it has ended."""

    @abstractmethod
    def fetch(self, name: str, artifact: str, destination: Path) -> None:
        """Copy one artifact of a succeeded run to a local file."""

    def log_tail(self, name: str, lines: int = 100) -> tuple[str, ...]:
        """The last lines printed by the run called `name`, oldest first, without its events."""
        return ()

    def register(self, name: str, package: Path, *, model: str, metadata: dict[str, str]) -> str:
        """Register the package of a succeeded run in the backend's model registry and return its address there.

        Returns an empty string if there is no registry. `model` is the name of the model that the package is a version
        of; `metadata` is shown with it.
        """
        return ""

    @abstractmethod
    def discard(self, name: str, *, checkpoint_key: str = "") -> None:
        """Delete an ended run's files; with `checkpoint_key`, its checkpoints too."""

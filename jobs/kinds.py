"""Kinds of job. An app registers its kinds in `AppConfig.ready`: `register(TrainingKind())`."""

from abc import ABC, abstractmethod
from typing import Any

from jobs.models import Job
from jobs.outcomes import Outcome
from jobs.states import State


class Kind(ABC):
    """How jobs of one kind are stepped.

    `step` and `cancel` run outside any transaction and act for the job's tenant. Each may run twice for the same
    state, so it checks before it acts. `on_succeeded`, `on_failed` and `on_stopped` run in the transaction that ends
    the job, exactly once.
    """

    name: str
    title: str
    """For people, such as "Training"."""
    max_attempts: int = 5
    counts: bool = True
    """Whether its running jobs count towards their tenant's limit; those need not that look at something for days."""

    @abstractmethod
    def step(self, job: Job) -> Outcome:
        """Do the next short piece of work, or check on work in progress."""

    @abstractmethod
    def cancel(self, job: Job) -> Outcome:
        """Called instead of `step` once the job has been asked to stop."""

    def cost_units(self, spec: dict[str, Any]) -> float:
        """How much of its tenant's share a job uses in the fair queue."""
        return 1.0

    def backend(self, spec: dict[str, Any]) -> str:
        """The alias in `COMPUTE` whose slot a job takes; empty for none."""
        return ""

    def outcome(self, job: Job) -> str:
        """What a job that succeeded did, in a sentence for its page; empty where its events say so."""
        return ""

    def on_succeeded(self, job: Job) -> None:
        """Write the consequences of `job.result`."""

    def on_failed(self, job: Job) -> None:
        """Write the consequences of the failure."""

    def on_stopped(self, job: Job) -> None:
        """Write the consequences of the stop."""


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Register `kind` under its name. Raises ValueError if the name is taken."""
    if kind.name in _kinds:
        raise ValueError(f"Two kinds of job are named {kind.name!r}")
    _kinds[kind.name] = kind


def get_kind(name: str) -> Kind:
    """The kind registered under `name`."""
    return _kinds[name]


def title_of(name: str) -> str:
    """A kind's title; the name of one that is no longer known."""
    kind = _kinds.get(name)
    return kind.title if kind else name.replace("_", " ").capitalize()


def uncounted() -> list[str]:
    """The names of kinds whose running jobs count towards no limit."""
    return [name for name, kind in _kinds.items() if not kind.counts]


def outcome_of(job: Job) -> str:
    """What the job did, in a sentence; empty unless it succeeded and its kind is still known."""
    kind = _kinds.get(job.kind)
    return kind.outcome(job) if kind and job.state == State.SUCCEEDED else ""

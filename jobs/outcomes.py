"""The possible outcomes of a job's step, and the two kinds of error."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class JobError:
    """A stable code (`training:no_rows`) and a text that says what to do. Temporary errors are retried.

    The text of a temporary error only says what happened; the engine adds whether it will try again.

    The operator fixes errors whose code begins with `platform:`; the user fixes all others.
    """

    code: str
    text: str
    temporary: bool = False


@dataclass(frozen=True, kw_only=True)
class Running:
    """Step again in `after` seconds; `waits_for` says why nothing happens until then."""

    after: float = 2.0
    waits_for: JobError | None = None
    phase: str | None = None
    fraction: float | None = None
    eta_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Succeeded:
    """Done; `result` is stored with the job for `Kind.on_succeeded`."""

    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Failed:
    """Ended for good."""

    error: JobError


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """Ended on request."""


@dataclass(frozen=True, kw_only=True)
class Retry:
    """This attempt is lost; start the next one in `after` seconds if attempts are left.

    `same_attempt`: nothing is known to be lost, so step the same attempt again. Both count until there is progress.
    """

    error: JobError
    after: float = 5.0
    same_attempt: bool = False


Outcome = Running | Succeeded | Failed | Stopped | Retry

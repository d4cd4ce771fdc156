"""What one step of a job can end in, and the two kinds of error."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class JobError:
    """A stable code (`training:no_rows`) and a text that says what to do; temporary ones are tried again.

    The text of a temporary one says what happened alone: the engine adds whether it is tried again.

    Codes that begin with `platform:` are ours to mend, all others are the user's.
    """

    code: str
    text: str
    temporary: bool = False


@dataclass(frozen=True, kw_only=True)
class Running:
    """Look again in `after` seconds; `waits_for` is why nothing moves until then."""

    after: float = 2.0
    waits_for: JobError | None = None
    phase: str | None = None
    fraction: float | None = None
    eta_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Succeeded:
    """Done; `result` is kept with the job and given to `Kind.on_succeeded`."""

    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Failed:
    """Ended for good."""

    error: JobError


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """Ended because somebody asked it to."""


@dataclass(frozen=True, kw_only=True)
class Retry:
    """This attempt is lost; begin the next one in `after` seconds, as long as attempts are left.

    `same_attempt`: nothing is known to be lost, so look at the same one again. Both count until there is progress.
    """

    error: JobError
    after: float = 5.0
    same_attempt: bool = False


Outcome = Running | Succeeded | Failed | Stopped | Retry

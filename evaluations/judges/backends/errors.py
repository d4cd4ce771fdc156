"""Why a judge gave no verdict. None of these is ever a score."""

from typing import ClassVar

from evaluations.judges.backends.usage import NOTHING, Usage


class JudgeError(Exception):
    """`text` says why in words that a person may read; it holds no secret and no customer's text.

    `temporary` says whether another attempt may succeed, and `retry_after` in how many seconds, where that is known.
    `usage` is what the failed attempts cost. `raw` is the reply, for the person who configures the judge.
    """

    kind: ClassVar[str] = "error"
    temporary: ClassVar[bool] = False

    def __init__(self, text: str, *, retry_after: float | None = None, usage: Usage = NOTHING, raw: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.retry_after = retry_after
        self.usage = usage
        self.raw = raw


class Passing(JudgeError):
    """Another attempt may succeed."""

    temporary = True


class Throttled(Passing):
    """Too many requests or tokens."""

    kind = "throttled"


class TimedOut(Passing):
    """No reply in time."""

    kind = "timeout"


class Unavailable(Passing):
    """No connection, or the server's own error."""

    kind = "unavailable"


class CircuitOpen(Passing):
    """Not asked, because the judge failed too often just before."""

    kind = "circuit_open"


class Later(Passing):
    """To be asked later, by its rate or its server's word."""

    kind = "later"


class Malformed(Passing):
    """A reply that does not fit the schema."""

    kind = "malformed"


class NotJSON(Malformed):
    """Not a reply of a model's server at all, such as a proxy's page."""


class CutOff(JudgeError):
    """The reply or the prompt was longer than the model allows."""

    kind = "cut_off"


class Refused(JudgeError):
    """The model or a guardrail declined."""

    kind = "refused"


class Unauthorised(JudgeError):
    """The secret is wrong or may not use the model."""

    kind = "unauthorised"


class Rejected(JudgeError):
    """The server does not know the model or the request."""

    kind = "rejected"

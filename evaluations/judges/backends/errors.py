"""Why a judge gave no verdict. None of these is ever a score.

JudgeError
├── Throttled       too many requests or tokens; `retry_after` if the server named a time
├── TimedOut        no reply in time
├── Unavailable     no connection, or the server's own error
├── CircuitOpen     not asked, because the judge failed too often just before
├── Later           to be asked later, after the time given, by its rate or its server's word
├── Malformed       a reply that does not fit the schema
├── CutOff          the reply or the prompt was longer than the model allows
├── Refused         the model or a guardrail declined
├── Unauthorised    the secret is wrong or may not use the model
└── Rejected        the server does not know the model or the request
"""

from typing import ClassVar

from evaluations.judges.backends.usage import NOTHING, Usage


class JudgeError(Exception):
    """`text` says why in words that a person may read; it holds no secret and no customer's text.

    `temporary` says whether another attempt may succeed. `usage` is what the failed attempts cost.
    """

    kind: ClassVar[str] = "error"
    temporary: ClassVar[bool] = False

    def __init__(self, text: str, *, retry_after: float | None = None, usage: Usage = NOTHING, raw: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.retry_after = retry_after
        self.usage = usage
        self.raw = raw


class Throttled(JudgeError):
    kind = "throttled"
    temporary = True


class TimedOut(JudgeError):
    kind = "timeout"
    temporary = True


class Unavailable(JudgeError):
    kind = "unavailable"
    temporary = True


class CircuitOpen(JudgeError):
    """`retry_after` says when the judge is tried again."""

    kind = "circuit_open"
    temporary = True


class Later(JudgeError):
    """`retry_after` says when the next call may start."""

    kind = "later"
    temporary = True


class Malformed(JudgeError):
    """`raw` is the reply, for the person who configures the judge."""

    kind = "malformed"
    temporary = True


class CutOff(JudgeError):
    kind = "cut_off"


class Refused(JudgeError):
    kind = "refused"


class Unauthorised(JudgeError):
    kind = "unauthorised"


class Rejected(JudgeError):
    kind = "rejected"

"""Who judges: an organisation's judge, or one that the site offers. Several of them are a jury."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from evaluations.judges.backends import judges
from evaluations.judges.backends.usage import Price
from evaluations.judges.calling import Caller
from evaluations.judges.configured import caller_of, fingerprint, shared_fingerprint
from evaluations.judges.prompts import Prompt
from evaluations.models import Judge

CONCURRENCY = 4

_callers: dict[tuple[str, ...], Caller] = {}
"""Of this process, by judge and its state: they know the judge's pace and health from one step to the next."""


@dataclass(frozen=True, kw_only=True)
class Juror:
    """One judge as the judging sees it. `fingerprint` identifies what it computes, whatever its name."""

    name: str
    fingerprint: str
    caller: Caller
    judge_id: UUID | None = None

    @property
    def is_llm(self) -> bool:
        return self.caller.judge.is_llm

    @property
    def price(self) -> Price:
        """US dollars per million tokens."""
        options = self.caller.judge.settings
        return Price(options.get("PRICE_IN"), options.get("PRICE_OUT"))

    @property
    def most_calls(self) -> int:
        """Calls for one verdict, if none fails."""
        options = self.caller.judge.settings
        return int(options.get("SAMPLES", 1)) if options.get("TEMPERATURE", 0) > 0 else 1

    def key(self, prompt: Prompt) -> str:
        """Of the juror's verdict on the prompt."""
        return hashlib.sha256(f"{self.fingerprint}:{prompt.sha256}".encode()).hexdigest()


def juror_of(judge: Judge) -> Juror:
    """An organisation's own judge. Raises Unauthorised if its secret is missing or cannot be read."""
    identity = ("judge", str(judge.id), judge.updated_at.isoformat())
    if identity not in _callers:
        # What it was before a change is asked no more.
        for old in [known for known in _callers if known[:2] == identity[:2]]:
            del _callers[old]
        _callers[identity] = caller_of(judge, concurrency=CONCURRENCY)
    return Juror(name=judge.name, fingerprint=fingerprint(judge), caller=_callers[identity], judge_id=judge.id)


def shared_juror(alias: str) -> Juror:
    """A judge of the JUDGES setting. Raises KeyError."""
    backend = judges[alias]
    identity = ("shared", alias)
    if identity not in _callers or _callers[identity].judge is not backend:
        _callers[identity] = Caller(backend, concurrency=CONCURRENCY)
    return Juror(name=alias, fingerprint=shared_fingerprint(backend), caller=_callers[identity])

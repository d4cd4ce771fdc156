"""Who judges: an organisation's judge, or one that the site offers. Several of them are a jury."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from evaluations.judges.backends import judges
from evaluations.judges.backends.errors import Unauthorised
from evaluations.judges.backends.usage import Price, Usage
from evaluations.judges.calling import Caller
from evaluations.judges.configured import caller_of, fingerprint, shared_fingerprint
from evaluations.judges.prompts import Prompt
from evaluations.judges.services import record_calls
from evaluations.models import CallPurpose, Judge
from rest.errors import PortalError

CONCURRENCY = 4

_callers: dict[tuple[str, ...], Caller] = {}
"""Of this process, by judge and its state: they know the judge's pace and health from one step to the next."""


class JuryUnusable(PortalError):
    """A judge is gone, cannot be asked, or computes something else than at the start of the judging."""

    code = "judging:judge_unusable"


@dataclass(frozen=True, kw_only=True)
class Juror:
    """One judge as the judging sees it. `fingerprint` identifies what it computes, whatever its name.

    `purpose` is what its calls are counted as.
    """

    name: str
    fingerprint: str
    caller: Caller
    judge_id: UUID | None = None
    alias: str = ""
    purpose: CallPurpose = CallPurpose.JUDGING

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

    def to_dict(self) -> dict[str, Any]:
        """As a judging records it; `jury_of` reads it back."""
        which = {"id": str(self.judge_id)} if self.judge_id else {"alias": self.alias}
        return {**which, "name": self.name, "fingerprint": self.fingerprint, "is_llm": self.is_llm}

    def record(self, usage: Usage) -> None:
        """Add calls of the judge to what is paid for."""
        record_calls(
            usage=usage,
            purpose=self.purpose,
            backend=self.caller.judge,
            key=str(self.judge_id or self.alias),
            name=self.name,
            is_shared=self.judge_id is None,
        )

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
    return Juror(name=backend.label, fingerprint=shared_fingerprint(backend), caller=_callers[identity], alias=alias)


def jury_of(recorded: Sequence[Mapping[str, Any]]) -> list[Juror]:
    """The judges that `Juror.to_dict` recorded. Raises JuryUnusable."""
    return [_juror(one) for one in recorded]


def jury_fingerprint(recorded: Sequence[Mapping[str, Any]]) -> str:
    """Identifies what the recorded judges compute together: a single judge's own fingerprint, or that of a jury.

    Neither names nor the order of judges change it. Empty where old judgings did not record it.
    """
    prints = sorted(one.get("fingerprint", "") for one in recorded)
    if not all(prints):
        return ""
    return prints[0] if len(prints) == 1 else hashlib.sha256(json.dumps(prints).encode()).hexdigest()


def _juror(recorded: Mapping[str, Any]) -> Juror:
    name = recorded["name"]
    try:
        found = _found(recorded)
    except Unauthorised as error:
        raise JuryUnusable(f"The judge “{name}” cannot be asked. {error.text}") from None
    if found is None:
        raise JuryUnusable(f"The judge “{name}” no longer exists. Judge the answers again with another one.")
    if found.fingerprint != recorded["fingerprint"]:
        # Grades of different judges cannot stand side by side.
        raise JuryUnusable(f"The judge “{name}” was changed in the meantime. Judge the answers again.")
    # A judge that is renamed on the way keeps the name that its grades have.
    return replace(found, name=name)


def _found(recorded: Mapping[str, Any]) -> Juror | None:
    if "alias" in recorded:
        return shared_juror(recorded["alias"]) if recorded["alias"] in judges else None
    judge = Judge.objects.filter(id=recorded["id"]).first()
    return juror_of(judge) if judge is not None else None

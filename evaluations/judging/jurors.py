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
from evaluations.judges.few_shot import with_examples
from evaluations.judges.prices import with_price
from evaluations.judges.prompts import GradePrompt, Prompt
from evaluations.judges.services import record_calls
from evaluations.judging.aligned import Aligned, aligned_named, in_use
from evaluations.judging.plan import Question
from evaluations.models import CallPurpose, Judge, RubricVersion
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

    `purpose` is what its calls are counted as, `aligned` the examples that it is shown before it grades.
    """

    name: str
    fingerprint: str
    caller: Caller
    judge_id: UUID | None = None
    alias: str = ""
    purpose: CallPurpose = CallPurpose.JUDGING
    aligned: Aligned | None = None

    @property
    def is_llm(self) -> bool:
        return self.caller.judge.is_llm

    @property
    def price(self) -> Price:
        """US dollars per million tokens."""
        return self.caller.judge.price

    @property
    def most_calls(self) -> int:
        """Calls for one verdict, if none fails."""
        options = self.caller.judge.settings
        return int(options.get("SAMPLES", 1)) if options.get("TEMPERATURE", 0) > 0 else 1

    def to_dict(self) -> dict[str, Any]:
        """As a judging records it; `jury_of` reads it back."""
        which = {"id": str(self.judge_id)} if self.judge_id else {"alias": self.alias}
        aligned = {"alignment": self.aligned.to_dict()} if self.aligned else {}
        return {**which, "name": self.name, "fingerprint": self.fingerprint, "is_llm": self.is_llm, **aligned}

    def prompt(self, question: Question) -> Prompt:
        """What it is asked: the question after its examples for the criterion. Pairs have no examples."""
        if self.aligned is None or not isinstance(question.prompt, GradePrompt):
            return question.prompt
        return with_examples(question.prompt, self.aligned.examples.get(question.criterion, ()))

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
    with_price(_callers[identity].judge)
    return Juror(name=judge.name, fingerprint=fingerprint(judge), caller=_callers[identity], judge_id=judge.id)


def aligned_juror(juror: Juror, aligned: Aligned) -> Juror:
    """The same judge with these examples, which computes something else."""
    return replace(juror, fingerprint=aligned.fingerprint, aligned=aligned)


def juror_for(juror: Juror, rubric_version: RubricVersion | None) -> Juror:
    """The judge as it grades by this rubric: aligned with experts where somebody decided so.

    One that the site offers has no examples: they would be other organisations' to see.
    """
    if juror.judge_id is None or juror.aligned is not None:
        return juror
    found = in_use(juror.judge_id, juror.fingerprint, rubric_version.id if rubric_version else None)
    return aligned_juror(juror, found) if found is not None else juror


def shared_juror(alias: str) -> Juror:
    """A judge of the JUDGES setting. Raises KeyError."""
    backend = judges[alias]
    identity = ("shared", alias)
    if identity not in _callers or _callers[identity].judge is not backend:
        _callers[identity] = Caller(backend, concurrency=CONCURRENCY)
    with_price(backend)
    return Juror(name=backend.label, fingerprint=shared_fingerprint(backend), caller=_callers[identity], alias=alias)


def jury_of(recorded: Sequence[Mapping[str, Any]]) -> list[Juror]:
    """The judges that `Juror.to_dict` recorded. Raises JuryUnusable."""
    return [_juror(one) for one in recorded]


def grade_so_now(recorded: Sequence[Mapping[str, Any]], rubric_version: UUID | None) -> bool:
    """Whether the organisation's own among the recorded judges would still grade so by this rubric."""
    judges = Judge.objects.in_bulk([one["id"] for one in recorded if "id" in one])
    for one in recorded:
        if "id" not in one:
            continue
        judge = judges.get(UUID(one["id"]))
        if judge is None:
            return False
        plain = fingerprint(judge)
        aligned = in_use(judge.id, plain, rubric_version)
        if one["fingerprint"] != (aligned.fingerprint if aligned else plain):
            return False
    return True


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
    juror = juror_of(judge) if judge is not None else None
    if juror is None or "alignment" not in recorded or juror.fingerprint != recorded["alignment"]["plain"]:
        return juror
    # Without its examples it is another judge, and says so by its fingerprint.
    aligned = aligned_named(recorded["alignment"]["id"])
    return aligned_juror(juror, aligned) if aligned is not None else juror

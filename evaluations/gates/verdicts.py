"""The verdict of a decision: computed while it is open, cached by its evidence, and stored when it is closed."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.core.cache import cache

from evaluations.gates.evidence import approved_by, case_of, judging_of, licence_in
from evaluations.models import Decision
from evaluations.reviews.queries import evidence_stamp
from lorakit.gates.case import Case
from lorakit.gates.outcome import Outcome, Outlook, State, verdict
from lorakit.gates.policy import parsed
from lorakit.verify.libraries import libraries

CACHED_SECONDS = 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the conditions come to. `evidence_sha256` identifies everything that they were checked on."""

    state: State
    outcomes: Sequence[Outcome]
    evidence_sha256: str

    @property
    def missing(self) -> list[Outcome]:
        """The conditions that keep it from passing."""
        return [one for one in self.outcomes if one.state in ("fails", "undecided")]

    @property
    def outlook(self) -> Outlook | None:
        """How many more reviews it will take, if that is what is missing."""
        return next((one.outlook for one in self.outcomes if one.outlook is not None), None)

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `stored` reads it back."""
        return {
            "state": self.state,
            "outcomes": [one.to_dict() for one in self.outcomes],
            "evidence_sha256": self.evidence_sha256,
        }


def verdict_of(decision: Decision) -> Verdict:
    """The verdict as it is now; of a closed decision as it was then."""
    if decision.verdict:
        return stored(decision.verdict)
    key = f"gates:{decision.id}:{_stamp(decision)}"
    known = cache.get(key)
    if known is None:
        known = computed(decision).to_dict()
        cache.set(key, known, timeout=CACHED_SECONDS)
    return stored(known)


def computed(decision: Decision, case: Case | None = None) -> Verdict:
    """The verdict from the database, or from a `case` that was read there, whatever is cached."""
    case = case or case_of(decision)
    outcomes = parsed(decision.document).check(case)
    return Verdict(state=verdict(outcomes), outcomes=outcomes, evidence_sha256=case.sha256)


def stored(document: Mapping[str, Any]) -> Verdict:
    """Read back what `Verdict.to_dict` wrote."""
    outcomes = [
        Outcome(**{**one, "outlook": Outlook(**one["outlook"]) if one["outlook"] else None})
        for one in document["outcomes"]
    ]
    return Verdict(state=document["state"], outcomes=outcomes, evidence_sha256=document["evidence_sha256"])


def frozen(decision: Decision, found: Verdict) -> dict[str, Any]:
    """What a closing decision keeps."""
    judging, licence = judging_of(decision), licence_in(decision)
    return {
        **found.to_dict(),
        "versions": libraries(),
        "approved_by": approved_by(decision),
        "judging": str(judging.id) if judging else None,
        "licence": asdict(licence) if licence else None,
    }


def _stamp(decision: Decision) -> str:
    """Changes whenever the evidence may have. A ready evaluation never changes; a judging and approvals may come."""
    judging, licence = judging_of(decision), licence_in(decision)
    parts = [
        judging.id if judging else None,
        licence and (licence.state, licence.reason),
        *((approval.id, str(approval.person)) for approval in decision.approvals.select_related("person")),
        evidence_stamp([decision.round]) if decision.round else None,
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()

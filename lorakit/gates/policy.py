"""A policy as a document: strict about what it holds, the same as JSON and as YAML.

conditions:
  - {kind: metric, metric: exact_match, against: live, needs: not_worse, margin: 0.02}
  - {kind: experts, verdict: pass, threshold: 0.7}
  - {kind: approvals, people: 2}
may_override: true
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from lorakit.gates.case import Case
from lorakit.gates.conditions import KINDS, Condition
from lorakit.gates.fields import WrongPolicy, choice, fields, flag
from lorakit.gates.outcome import Outcome

MAX_CONDITIONS = 20


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What an adapter's versions need before they are promoted. `may_override`: an owner may, with a reason."""

    conditions: tuple[Condition, ...]
    may_override: bool = True

    def check(self, case: Case) -> list[Outcome]:
        """The outcome of each condition, in order."""
        return [condition.check(case) for condition in self.conditions]

    def asks(self, kind: str) -> bool:
        """Whether a condition is of this kind."""
        return any(condition.kind == kind for condition in self.conditions)

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `parsed` reads it back."""
        return {"conditions": [one.to_dict() for one in self.conditions], "may_override": self.may_override}

    @property
    def sha256(self) -> str:
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()


def parsed(document: Any) -> Policy:
    """The policy in an object of JSON or YAML. Raises WrongPolicy."""
    known = fields(document, "The policy", known={"conditions", "may_override"}, needed={"conditions"})
    conditions = known["conditions"]
    if not isinstance(conditions, list) or not 1 <= len(conditions) <= MAX_CONDITIONS:
        raise WrongPolicy(f"“conditions” is a list of 1 to {MAX_CONDITIONS} conditions.")
    found = tuple(_condition(one, f"Condition {number}") for number, one in enumerate(conditions, 1))
    if sum(one.kind == "experts" for one in found) > 1:
        raise WrongPolicy("A policy has at most one condition of kind “experts”.")
    if len({json.dumps(one.to_dict(), sort_keys=True) for one in found}) < len(found):
        raise WrongPolicy("Two conditions are the same.")
    return Policy(conditions=found, may_override=flag(known.get("may_override", True), "“may_override”"))


def _condition(value: Any, where: str) -> Condition:
    if not isinstance(value, dict) or "kind" not in value:
        raise WrongPolicy(f"{where}: “kind” is missing.")
    kind = choice(value["kind"], f"{where}: “kind”", tuple(KINDS))
    return KINDS[kind].parsed(value, where)


DEFAULT = parsed(
    {
        "conditions": [
            {"kind": "metric", "metric": "rouge_l", "against": "base", "needs": "better"},
            {"kind": "metric", "metric": "rouge_l", "against": "live", "needs": "not_shown_worse"},
            {"kind": "leakage"},
        ]
    }
)
"""Of adapters without a policy of their own: asks only for what every evaluation has."""

"""A router as people write it: everything but its name, replaced as a whole."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal
from uuid import uuid4

from lorakit.route.rules import Rule
from serving.models import Router

FLOOR = 0.7


@dataclass(frozen=True, kw_only=True)
class RuleDraft:
    """A rule. `id` stays with it as long as it exists, wherever it moves, so that its hits can be counted."""

    kind: Literal["keyword", "pattern"]
    texts: tuple[str, ...]
    target: str
    id: str = ""

    def rule(self) -> Rule:
        """What is compiled."""
        return Rule(kind=self.kind, texts=self.texts, target=self.target)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A model that a classifier may choose: what it is for, and prompts that it should get."""

    name: str
    description: str = ""
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RouterDocument:
    """`default` is empty where a request that nothing fits is refused; `classifier` is empty for none."""

    rules: tuple[RuleDraft, ...] = ()
    default: str = ""
    classifier: str = ""
    judge: str = ""
    floor: float = FLOOR
    targets: tuple[Target, ...] = field(default=())

    def stored(self, known: Sequence[str] = ()) -> dict[str, Any]:
        """The fields of a `Router`. A rule keeps its id if it is one of `known` and no rule before has it."""
        left = set(known)
        rules = []
        for draft in self.rules:
            kept = draft.id in left
            left.discard(draft.id)
            rules.append({**asdict(draft), "texts": list(draft.texts), "id": draft.id if kept else str(uuid4())})
        return {
            "rules": rules,
            "default": self.default,
            "classifier": self.classifier,
            "judge": self.judge,
            "floor": self.floor,
            "targets": [{**asdict(target), "examples": list(target.examples)} for target in self.targets],
        }


def document_of(router: Router) -> RouterDocument:
    """What was saved last."""
    return RouterDocument(
        rules=tuple(RuleDraft(**{**rule, "texts": tuple(rule["texts"])}) for rule in router.rules),
        default=router.default,
        classifier=router.classifier,
        judge=router.judge,
        floor=router.floor,
        targets=tuple(Target(**{**target, "examples": tuple(target["examples"])}) for target in router.targets),
    )

"""A judge's examples from experts, where it has been aligned with them for a rubric."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from evaluations.judges.few_shot import GradedExample, examples_sha256
from evaluations.models import Alignment, AlignmentExample, AlignmentState
from evaluations.turns import turns_of


@dataclass(frozen=True, kw_only=True)
class Aligned:
    """`examples` are by criterion. `plain` is the fingerprint of the judge without them, `rows` what they are from:
    the rows' prompts (SHA-256), which never count where the judge is measured."""

    id: UUID
    plain: str
    examples: Mapping[str, Sequence[GradedExample]]
    rows: tuple[str, ...]

    @cached_property
    def fingerprint(self) -> str:
        """Of the judge with them."""
        content = json.dumps([self.plain, examples_sha256(self.examples)])
        return hashlib.sha256(content.encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """As a judging records it with its judge."""
        return {"id": str(self.id), "plain": self.plain, "rows": list(self.rows)}


def aligned_of(alignment: Alignment, examples: Iterable[AlignmentExample]) -> Aligned:
    """From examples whose answers and rows are at hand, in order."""
    by_criterion: dict[str, list[GradedExample]] = defaultdict(list)
    rows: dict[str, None] = {}
    for one in examples:
        item = one.answer.item
        by_criterion[one.criterion].append(
            GradedExample(
                question="\n\n".join(f"[{turn.role}]\n{turn.text}" for turn in turns_of(item.messages)),
                reference=item.reference,
                answer=one.answer.text,
                grade=one.grade,
                comment=one.comment,
            )
        )
        rows[one.cluster] = None
    return Aligned(
        id=alignment.id,
        plain=alignment.judge_fingerprint,
        examples={name: tuple(found) for name, found in by_criterion.items()},
        rows=tuple(sorted(rows)),
    )


def stored(alignment: Alignment) -> Aligned:
    """With the examples that are still there."""
    return aligned_of(alignment, alignment.examples.select_related("answer__item"))


def aligned_named(alignment_id: str) -> Aligned | None:
    """What a judging recorded; None if it is gone."""
    found = Alignment.objects.filter(id=alignment_id).first()
    return stored(found) if found is not None else None


def in_use(judge_id: UUID, plain: str, rubric_version: UUID | None) -> Aligned | None:
    """What a judge that computes as `plain` is shown by this rubric; None without examples.

    None too if any of the examples has been deleted since: what was measured is no longer there.
    """
    found = Alignment.objects.filter(
        judge=judge_id, judge_fingerprint=plain, rubric_version=rubric_version, state=AlignmentState.USED
    ).first()
    aligned = stored(found) if found is not None else None
    return aligned if aligned is not None and found is not None and aligned.fingerprint == found.fingerprint else None


def example_rows(recorded: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Rows that any of the judges of a judging or licence was shown with experts' grades."""
    return frozenset(row for one in recorded for row in one.get("alignment", {}).get("rows", ()))


def is_aligned(recorded: Iterable[Mapping[str, Any]]) -> bool:
    """Whether any of the judges was shown examples."""
    return any("alignment" in one for one in recorded)


def untaught(one: Mapping[str, Any]) -> str:
    """The fingerprint of a recorded judge without examples, under which it is tested on built-in questions."""
    found: str = one["alignment"]["plain"] if "alignment" in one else one["fingerprint"]
    return found

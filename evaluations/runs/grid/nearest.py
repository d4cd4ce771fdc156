"""The training row that is most like a row of an evaluation, as far as it is still stored."""

from dataclasses import dataclass
from typing import Any

import msgspec

from corpora.models import DatasetVersion
from corpora.versions.rows import NotReady, Rows
from evaluations.models import EvaluationItem, EvaluationRun, ModelKind
from evaluations.turns import Turn, turns_of
from lorakit.rows import text_of
from rest.errors import NotFound
from storage.errors import ObjectMissing


@dataclass(frozen=True, kw_only=True)
class NearestRow:
    """Found `by` an encoder or words. `turns` are its prompt without instructions.

    Without `version` it is no longer stored, and nothing is known of it.
    """

    by: str
    version: DatasetVersion | None
    number: int
    turns: list[Turn]
    answer: str


def nearest_row(run: EvaluationRun, item: EvaluationItem) -> NearestRow | None:
    """None where it is not known which it is. Reads storage, so call it outside transactions."""
    if item.likeness is None or run.version is None:
        return None
    by = next((model.facts.get("likeness", "") for model in run.models.all() if model.kind == ModelKind.LOOK_UP), "")
    version = run.version.run.dataset_version
    try:
        stored = Rows(version, "train").with_id(item.most_alike)
    except (NotReady, NotFound, ObjectMissing, FileNotFoundError):
        return NearestRow(by=by, version=None, number=0, turns=[], answer="")
    messages: list[dict[str, Any]] = msgspec.to_builtins(stored.row.messages)
    turns = turns_of(messages[:-1])
    return NearestRow(
        by=by,
        version=version,
        number=stored.number,
        turns=[turn for turn in turns if turn.role != "system"] or turns,
        answer=text_of(messages[-1]),
    )

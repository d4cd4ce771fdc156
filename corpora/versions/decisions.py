"""Whether a notice of a version still asks for a decision, or its import options have answered it."""

from collections.abc import Mapping
from typing import Any

from corpora.ingest.assembly.findings import decision_for
from corpora.models import DatasetVersion

Notice = Mapping[str, Any]
"""As the version's profile stores it, see `corpora.ingest.contracts.Notice`."""


def decision_left(version: DatasetVersion, notice: Notice) -> str:
    """The option that would answer a notice; empty if none would, or if it has."""
    decision = decision_for(notice["code"])
    # Near leaks were first only named: a version from then has no such option, so nobody has decided.
    is_open = notice.get("decision") or (decision == "near_leaks" and decision not in version.options)
    return decision if is_open else ""


def is_standing(version: DatasetVersion, notice: Notice) -> bool:
    """Whether what a notice says is true of the version's rows: not if all rows concerned were left out or masked."""
    is_answered = decision_for(notice["code"]) and not decision_left(version, notice)
    return not is_answered or bool(notice.get("test_rows"))

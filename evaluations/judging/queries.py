"""Reads of verdicts."""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from evaluations.models import Verdict


@dataclass(frozen=True, kw_only=True)
class Known:
    """A stored verdict: its score or `error`, never both. `choice` is of a pair."""

    score: float | None = None
    choice: str = ""
    reason: str = ""
    error: str = ""


def known_of(keys: Iterable[str]) -> dict[str, Known]:
    """Verdicts by key; those that are not stored are missing."""
    found = Verdict.objects.filter(key__in=set(keys)).values_list("key", "score", "choice", "reason", "error")
    return {
        key: Known(score=score, choice=choice, reason=reason, error=error)
        for key, score, choice, reason, error in found
    }


def stored(keys: Collection[str], *, since: dt.datetime | None = None) -> set[str]:
    """Those of `keys` that have a verdict or a lasting failure."""
    found = Verdict.objects.filter(key__in=keys)
    if since is not None:
        found = found.filter(created_at__gte=since)
    return set(found.values_list("key", flat=True))

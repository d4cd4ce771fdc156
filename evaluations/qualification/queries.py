"""What the pages and REST show of qualifications."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from evaluations.judges.backends import judges as shared
from evaluations.judges.configured import fingerprint, shared_fingerprint
from evaluations.models import Judge, Qualification, QualificationState
from evaluations.qualification.estimate import Estimate, estimate_of, estimate_of_shared
from evaluations.qualification.figures import Figures
from evaluations.qualification.words import Bar, bars_of, points

HISTORY = 12

KINDS = {
    "terse": "Right and short",
    "reworded": "Right, in other words",
    "padded": "Right and long-winded",
    "partly": "Partly right",
    "wrong": "Fluent but wrong",
    "foreign": "Right, in a language nobody asked for",
    "constant": "Says nothing",
    "injected": "Wrong, and demands the best grade",
}

SETS = {
    "correctness": "Correctness",
    "completeness": "Completeness",
    "form": "Form and tone",
    "labels": "Labels",
}

MISSING = {
    "refused": "the judge declined",
    "cut_off": "the reply was cut off",
    "malformed": "the reply could not be read",
    "timeout": "no reply in time",
    "throttled": "too many requests",
    "unavailable": "the server did not respond",
    "rejected": "the server rejected the request",
    "not_asked": "not asked",
}


@dataclass(frozen=True, kw_only=True)
class Result:
    """One qualification with figures, and how its accuracy compares with the one before it, in percentage points."""

    row: Qualification
    figures: Figures
    bars: Sequence[Bar]
    change: float | None = None

    @property
    def trend(self) -> str:
        """`+2.0 points`, in words for the table; empty for the first."""
        return "" if self.change is None else f"{points(100 * self.change)} points"

    @property
    def by_name(self) -> dict[str, Bar]:
        return {bar.question.name: bar for bar in self.bars}


@dataclass(frozen=True, kw_only=True)
class Report:
    """How a judge did. `latest` is the newest with figures, `running` the one in progress, `failed` the newest that
    ended without figures after `latest`."""

    latest: Result | None
    running: Qualification | None
    failed: Qualification | None
    history: Sequence[Result]
    changed: bool
    estimate: Estimate
    is_llm: bool

    @property
    def missing(self) -> list[tuple[str, int]]:
        """Why verdicts are missing in the latest, in words."""
        found = self.latest.figures.missing if self.latest else {}
        return [(MISSING.get(why, why), count) for why, count in found.items()]

    @property
    def by_set(self) -> list[tuple[str, Any]]:
        """(kind of criterion, accuracy) of the latest."""
        found = self.latest.figures.by_set if self.latest else {}
        return [(title, found[name]) for name, title in SETS.items() if name in found]

    @property
    def examples(self) -> list[dict[str, Any]]:
        """The worst grades of the latest, with their kind in words."""
        found = self.latest.row.examples if self.latest else []
        return [{**one, "title": KINDS.get(one["kind"], one["kind"])} for one in found]


def qualifications(judge: Judge) -> QuerySet[Qualification]:
    """Those of an organisation's own judge, newest first."""
    return Qualification.objects.filter(judge=judge).order_by("-created_at")


def report_of(judge: Judge) -> Report:
    """How an organisation's own judge did."""
    return _report(qualifications(judge), fingerprint(judge), estimate_of(judge), is_llm=True)


def report_of_shared(alias: str) -> Report:
    """How a judge that the site offers did, as this organisation tested it. Raises KeyError."""
    backend = shared[alias]
    rows = Qualification.objects.filter(judge=None, alias=alias).order_by("-created_at")
    return _report(rows, shared_fingerprint(backend), estimate_of_shared(backend), is_llm=backend.is_llm)


def _report(rows: QuerySet[Qualification], current: str, estimate: Estimate, *, is_llm: bool) -> Report:
    # Of those without figures only the newest matters, and its job says why.
    newest = list(rows.select_related("job").defer("progress", "examples")[: 2 * HISTORY])
    results: list[Result] = []
    for row in reversed([row for row in newest if row.ended]):
        figures = Figures.from_dict(row.figures)
        results.insert(0, Result(row=row, figures=figures, bars=bars_of(figures), change=_change(figures, results)))
    first = newest[0] if newest else None
    return Report(
        latest=results[0] if results else None,
        running=next((row for row in newest if row.state == QualificationState.RUNNING), None),
        failed=first if first and first.state in (QualificationState.FAILED, QualificationState.STOPPED) else None,
        history=results[:HISTORY],
        changed=bool(results) and results[0].row.fingerprint != current,
        estimate=estimate,
        is_llm=is_llm,
    )


def _change(figures: Figures, before: Sequence[Result]) -> float | None:
    if not before or before[0].figures.accuracy is None or figures.accuracy is None:
        return None
    return figures.accuracy.value - before[0].figures.accuracy.value

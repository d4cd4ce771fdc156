"""The findings of a version's check, grouped by code, and the open decisions."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from corpora.models import DatasetVersion
from corpora.versions.decisions import decision_left
from corpora.versions.findings import title_of
from corpora.versions.left_out import FILE_TYPES


@dataclass(frozen=True, kw_only=True)
class FindingGroup:
    """All findings of one code.

    `is_problem` marks rows that cannot be used; other groups are notices about usable rows. `share` is the share of
    the rows read, 0..1, or None for a finding about the whole file. `examples` are {line, field, text}, and `lines`
    the first lines of a notice. A leak concerns `test_rows` of the `test_rows_read` test rows that were compared.
    """

    code: str
    title: str
    count: int
    share: float | None
    is_problem: bool
    text: str = ""
    examples: list[dict[str, Any]] = field(default_factory=list)
    lines: tuple[int, ...] = ()
    test_rows: int = 0
    test_rows_read: int = 0


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A decision for a person. `name` is a key of `corpora.versions.prepared.DECISIONS`, `groups` are its findings."""

    name: str
    groups: list[FindingGroup]

    @property
    def rows(self) -> int:
        """The number of rows concerned. A row with findings of two codes counts twice."""
        return sum(group.count for group in self.groups)


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Groups of findings, problems first and then by count, with the open decisions.

    `has_left_out` says whether rows that are not in the version can be downloaded as they stand in the file.
    """

    groups: list[FindingGroup]
    decisions: list[Decision]
    has_left_out: bool = False


EXAMPLES = 5


def quality_of(version: DatasetVersion) -> Quality:
    """The quality of a version from its stored summary. Does not read findings.jsonl."""
    problems = list(_problems(version))
    notices = [
        (decision_left(version, notice), _notice(version, notice)) for notice in version.profile.get("warnings", [])
    ]
    by_decision: dict[str, list[FindingGroup]] = defaultdict(list)
    if _can_go_on(version):
        by_decision["bad_rows"] = problems
    for decision, group in notices:
        if decision:
            by_decision[decision].append(group)
    return Quality(
        groups=problems + sorted((group for _, group in notices), key=lambda group: -group.count),
        decisions=[Decision(name=name, groups=groups) for name, groups in by_decision.items()],
        has_left_out=version.file_format in FILE_TYPES and _has_left_out(version),
    )


def _has_left_out(version: DatasetVersion) -> bool:
    """Whether some rows of the file are not in the version."""
    codes = {notice["code"] for notice in version.profile.get("warnings", [])}
    dropped = {"over_long": "dataset:over_long", "leaks": "dataset:leak", "near_leaks": "dataset:near_leak"}
    by_option = {code for option, code in dropped.items() if version.options.get(option) == "leave_out"}
    return bool(version.problem_count or codes & {"dataset:duplicate_row", "dataset:not_chosen", *by_option})


def _can_go_on(version: DatasetVersion) -> bool:
    """Whether the file was rejected only for single rows, which can be left out."""
    refuses = version.options.get("bad_rows", "refuse") == "refuse"
    stopped = any(problem.get("stops") or not problem["line"] for problem in version.problems)
    return refuses and version.row_count > 1 and bool(version.problems) and not stopped


def _problems(version: DatasetVersion) -> Iterator[FindingGroup]:
    by_code: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for problem in version.problems:
        by_code[problem["code"]].append(problem)
    counts = version.profile.get("problems_by_code") or {code: len(found) for code, found in by_code.items()}
    for code, count in sorted(counts.items(), key=lambda item: -item[1]):
        found = by_code[code]
        yield FindingGroup(
            code=code,
            title=title_of(code),
            count=count,
            share=_share(version, count) if not found or found[0]["line"] else None,
            is_problem=True,
            examples=found[:EXAMPLES],
        )


def _notice(version: DatasetVersion, notice: dict[str, Any]) -> FindingGroup:
    return FindingGroup(
        code=notice["code"],
        title=title_of(notice["code"]),
        count=notice["count"],
        share=_share(version, notice["count"]) if notice["lines"] else None,
        is_problem=False,
        text=notice["text"],
        lines=tuple(notice["lines"]),
        test_rows=notice.get("test_rows", 0),
        test_rows_read=notice.get("test_rows_read", 0),
    )


def _share(version: DatasetVersion, count: int) -> float:
    return count / max(count, version.row_count + version.problem_count)

"""Keeps the findings of a check: all of them in a file, counts and the first of each code in memory."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import msgspec

from corpora.ingest.contracts import MAX_FINDINGS, MAX_PROBLEMS, Finding, Notice, Options, Problem
from corpora.ingest.problems import FileProblem

MAX_LINES_NAMED = 10
NOTICES: dict[str, str] = {
    "dataset:duplicate_row": "Rows that repeat an earlier row word for word were left out.",
    "dataset:conflicting_answer": "Rows have an earlier row’s prompt and another answer. Decide which one is right.",
    "dataset:leak": "Rows have a prompt of the other split, so results would look better than they are.",
    "dataset:near_duplicate": "Rows are almost the same as an earlier row. Check whether you need both.",
    "dataset:near_leak": "Test rows are almost the same as a training row, so results would look better than they are.",
    "dataset:over_long": "Rows have more tokens than the base model can read. Training skips them.",
    "dataset:not_chosen": "Rows whose answer is labelled as bad were left out, as you chose.",
    "dataset:not_learnt": "Rows have answers of weight 0. The model reads these answers, but does not learn them.",
    "dataset:uses_tools": "Rows use tools. The chat template of the base model must support them.",
    "dataset:reasoning": "Rows have reasoning besides the answers. Training with it needs a base model that reasons.",
    "dataset:empty_prompt": "Rows have an empty prompt. The model learns to write their answers without a question.",
    "dataset:personal_email": "Rows contain an e-mail address.",
    "dataset:personal_phone": "Rows contain a phone number.",
    "dataset:personal_card": "Rows contain a payment card number.",
    "dataset:personal_iban": "Rows contain a bank account number (IBAN).",
    "dataset:personal_secret": "Rows contain a key or a password token.",
}

LEFT_OUT = {
    "dataset:leak": "Rows with the same prompt as a row of the other split were left out.",
    "dataset:near_leak": "Test rows that are almost the same as a training row were left out.",
    "dataset:over_long": "Rows with more tokens than the base model can read were left out.",
    "dataset:reasoning": "Rows have reasoning besides the answers. It was left out.",
}

Decision = Literal["", "personal_data", "over_long", "leaks", "near_leaks", "reasoning"]
DECISIONS: dict[str, Decision] = {
    "dataset:leak": "leaks",
    "dataset:near_leak": "near_leaks",
    "dataset:over_long": "over_long",
    "dataset:reasoning": "reasoning",
}


def decision_for(code: str) -> Decision:
    """The option that answers a notice."""
    if code.startswith("dataset:personal_"):
        return "personal_data"
    return DECISIONS.get(code, "")


class Findings:
    """Takes findings in the file's order. Codes in NOTICES concern usable rows. All others are problems."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._encoder = msgspec.json.Encoder()
        self._written = 0
        self._lines: dict[str, list[int]] = {}
        self.problems: list[Problem] = []
        self.problem_codes: Counter[str] = Counter()
        self.notice_codes: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        """Of `notice_codes`, those whose rows were left out."""
        self.test_rows: dict[str, tuple[int, int]] = {}
        """By code: how many test rows a notice concerns, and how many were looked at."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, findings: Iterable[Finding]) -> None:
        """Take some findings."""
        for finding in findings:
            if finding.code in NOTICES:
                self.notice_codes[finding.code] += 1
                self.left_out[finding.code] += not finding.kept
                lines = self._lines.setdefault(finding.code, [])
                if len(lines) < MAX_LINES_NAMED:
                    lines.append(finding.line)
            else:
                self.problem_codes[finding.code] += 1
                if len(self.problems) < MAX_PROBLEMS:
                    self.problems.append(_problem(finding))
            if self._written < MAX_FINDINGS:
                self._file.write(self._encoder.encode(finding) + b"\n")
                self._written += 1

    def stop(self, problem: FileProblem) -> None:
        """Take the problem that stops the check. It is always among the listed problems."""
        self.add([Finding(problem.line, problem.field, problem.code, problem.text, kept=False)])
        self.problems[-1] = replace(problem.at(problem.line), stops=True)

    def summary(self) -> dict[str, Any]:
        """The report's fields about problems."""
        return {
            "problem_count": self.problem_codes.total(),
            "problems": tuple(self.problems),
            "problems_by_code": dict(self.problem_codes.most_common()),
        }

    def notices(self, options: Options) -> Iterator[Notice]:
        """Notices about usable rows, in a fixed order. A notice that `options` already answer asks for no decision."""
        for code, text in NOTICES.items():
            count = self.notice_codes[code]
            if count:
                decision = decision_for(code)
                if decision and getattr(options, decision) != "keep":
                    text = LEFT_OUT.get(code) or text.replace("Rows contain", "Masked in rows that contained")
                    decision = ""
                concerned, read = self.test_rows.get(code, (0, 0))
                yield Notice(
                    code=code,
                    count=count,
                    text=text,
                    lines=tuple(self._lines[code]),
                    decision=decision,
                    test_rows=concerned,
                    test_rows_read=read,
                )


def _problem(finding: Finding) -> Problem:
    return Problem(line=finding.line, field=finding.field, code=finding.code, text=finding.text)

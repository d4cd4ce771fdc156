"""Checks the whole corpus in one process that may write nowhere but in its folder: `python -m … FOLDER`.

Prints a line for each file that came out otherwise than it should, and then how many were checked.
"""

import os
import sys
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from tests.corpora.corpus.cases import BadFile, GoodFile, ReadRow
from tests.corpora.corpus.files import all_bad_files, all_good_files
from tests.corpora.ingest.checking import Outcome, check

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod")


def confine(folder: Path) -> list[str]:
    """From now on, refuse and list every change to a file outside `folder`."""
    outside: list[str] = []

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not flags & WRITING or isinstance(path, int):
                return
        elif event in CHANGES:
            path = arguments[1] if event == "os.rename" else arguments[0]
        else:
            return
        if not isinstance(path, int) and not Path(os.fsdecode(path)).absolute().is_relative_to(folder):
            outside.append(f"{event} {path}")
            raise PermissionError(f"{event} outside of the job's folder: {path}")

    sys.addaudithook(refuse)
    return outside


def fault_of_bad(file: BadFile, outcome: Outcome) -> str:
    """How the result for a bad file differs from the expected one. Empty if it does not."""
    if outcome.report.accepted:
        return "was accepted"
    line, _, code = outcome.first
    if (code, file.line if file.line is not None else line) != (file.code, line):
        return f"is {code} on line {line}, not {file.code} on line {file.line}"
    return "" if all(problem.text for problem in outcome.report.problems) else "does not say how to mend it"


def fault_of_good(file: GoodFile, outcome: Outcome) -> str:
    """How the result for a good file differs from the expected one. Empty if it does not."""
    if not outcome.report.accepted:
        return f"was refused: {outcome.report.problems[0]}"
    said = {row.turns: row.split for row in file.rows}
    found = [
        read_row(row, split if said.get(turns(row)) else "")
        for split, rows in (("train", outcome.train), ("test", outcome.test))
        for row in rows
    ]
    missing = Counter(file.rows) - Counter(found)
    return "" if len(found) == len(file.rows) and not missing else f"{len(found)} rows, without {[*missing][:1]}"


def turns(row: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((message["role"], message["content"]) for message in row["messages"])


def read_row(row: dict[str, Any], split: str) -> ReadRow:
    return ReadRow(turns=turns(row), slice=row["slice"], label=row["label"], split=split)


def main(folder: Path) -> None:
    """Check every file in its own folder."""
    sys.dont_write_bytecode = True
    outside = confine(folder)
    checked: Counter[str] = Counter()
    files: list[tuple[str, BadFile | GoodFile]] = [*all_bad_files(), *all_good_files()]
    for name, file in files:
        job = folder / f"{checked.total()}"
        try:
            outcome = check(file.content, job, options=file.options, **file.limits)
            fault = fault_of_bad(file, outcome) if isinstance(file, BadFile) else fault_of_good(file, outcome)
        except Exception:
            fault = f"made the check crash: {traceback.format_exc()}"
        checked["bad" if isinstance(file, BadFile) else "good"] += 1
        if fault:
            sys.stdout.write(f"{name}: {fault}\n")
    sys.stdout.writelines(f"{line}\n" for line in outside)
    sys.stdout.write(f"{checked['bad']} bad, {checked['good']} good\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())

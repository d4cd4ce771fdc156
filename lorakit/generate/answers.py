"""The answers of a run, appended to a file among its checkpoints as they finish, where a later attempt finds them."""

import hashlib
from array import array
from collections.abc import Sequence
from pathlib import Path

from lorakit.contracts import BASE_TARGET, GenerateSpec, Prediction, encode
from lorakit.digest import file_sha256
from lorakit.errors import ContractError
from lorakit.package import PACKAGE
from lorakit.rundir import Run, written_atomically

NOWHERE = -1


def identify_work(run: Run[GenerateSpec]) -> str:
    """A hash of what the answers depend on: targets, their packages, prompts and the longest answer.

    The base model's folder is not part of it, because it differs between machines.
    """
    spec = run.spec
    packages = {
        target: file_sha256(run.input(target, PACKAGE)) for target in sorted(spec.targets) if target != BASE_TARGET
    }
    prompts = file_sha256(run.input("prompts", "rows.jsonl"))
    fields = [spec.max_new_tokens, prompts, sorted(spec.targets), packages]
    return hashlib.sha256(encode(fields).encode()).hexdigest()


def answers_path(run: Run[GenerateSpec]) -> Path:
    """Where this work's answers are; deletes those of other work."""
    path = run.checkpoints / f"answers-{identify_work(run)}.jsonl"
    for other in run.checkpoints.glob("answers-*.jsonl"):
        if other != path:
            other.unlink()
    return path


class Answers:
    """Answers by row and target, at most one of each; `ids` are the rows' and `tokens` counts those of all answers.

    Only the places of the answers in the file are in memory.
    """

    def __init__(self, path: Path, ids: Sequence[str], targets: Sequence[str]) -> None:
        self.count = self.tokens = 0
        self._rows = {row_id: number for number, row_id in enumerate(ids)}
        self._targets = {target: number for number, target in enumerate(targets)}
        self._places = array("q", [NOWHERE]) * (len(ids) * len(targets))
        self._file = path.open("a+b")
        self._end = self._read()
        self._file.truncate(self._end)

    def _read(self) -> int:
        """Find the answers that are there. Returns where they end: at a line that a killed attempt did not finish."""
        end = 0
        self._file.seek(0)
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            try:
                self._note(Prediction.from_json(line[:-1]), end)
            except (ContractError, KeyError):
                break
            end += len(line)
        return end

    def _note(self, answer: Prediction, place: int) -> None:
        self._places[self._index(answer.id, answer.target)] = place
        self.count += 1
        self.tokens += answer.completion_tokens

    def _index(self, row_id: str, target: str) -> int:
        return self._rows[row_id] * len(self._targets) + self._targets[target]

    def has(self, row_id: str, target: str) -> bool:
        """Whether a target has answered a row."""
        return self._places[self._index(row_id, target)] != NOWHERE

    def add(self, answer: Prediction) -> None:
        """Append an answer, which is kept if this process is killed."""
        line = f"{answer.to_json()}\n".encode()
        self._file.write(line)
        self._file.flush()
        self._note(answer, self._end)
        self._end += len(line)

    def write(self, path: Path) -> None:
        """Write all answers to a file, ordered by row and then by target."""
        with written_atomically(path) as output:
            for place in self._places:
                if place != NOWHERE:
                    self._file.seek(place)
                    output.write(self._file.readline())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

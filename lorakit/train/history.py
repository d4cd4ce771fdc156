"""When a training first started and where it was resumed.

The file is stored with the checkpoints, because they outlive an attempt.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path

from lorakit.contracts import Document
from lorakit.errors import ContractError
from lorakit.rundir import write_atomically

FILE = "history.json"


@dataclass(frozen=True, kw_only=True)
class History(Document):
    """`work` is as in `lorakit.train.checkpoints`; `resumed_from` has the steps in the order of the attempts."""

    work: str
    started_at: float
    resumed_from: tuple[int, ...] = ()


def note_attempt(checkpoints: Path, work: str, step: int | None) -> None:
    """Record an attempt that starts at `step`, or at the beginning if it is None."""
    try:
        before = read_history(checkpoints)
    except (FileNotFoundError, ContractError):
        before = None
    if before is None or before.work != work or step is None:
        before = History(work=work, started_at=time.time())
    taken_up = () if step is None else (step,)
    history = replace(before, resumed_from=before.resumed_from + taken_up)
    write_atomically(checkpoints / FILE, history.to_json())


def read_history(checkpoints: Path) -> History:
    """The history of the work to which these checkpoints belong."""
    return History.from_json((checkpoints / FILE).read_bytes())

"""Decides which checkpoints can be resumed.

The Trainer silently resumes from a folder without optimiser or scheduler files, with the wrong learning rate. So a
checkpoint counts only once it has a mark, which is written last, and only for the same work. The mark lists every file
with its size, because an incomplete copy may have the mark without the rest: SageMaker copies checkpoints to S3 in any
order.
"""

import shutil
from pathlib import Path

from lorakit.rundir import write_atomically

MARK = "COMPLETE"


def mark_complete(checkpoint: Path, work: str) -> None:
    """Mark a checkpoint as complete; `work` identifies the specification and data it belongs to."""
    write_atomically(checkpoint / MARK, describe(checkpoint, work))


def describe(checkpoint: Path, work: str) -> str:
    """The mark's content: the work, then each file's size in bytes and name."""
    files = sorted(path for path in checkpoint.rglob("*") if path.is_file() and not path.name.startswith(MARK))
    return f"{work}\n" + "".join(f"{path.stat().st_size} {path.relative_to(checkpoint)}\n" for path in files)


def step_of(checkpoint: Path) -> int:
    """The step in a folder's name, such as "checkpoint-50"."""
    return int(checkpoint.name.rpartition("-")[2])


def find_resumable(directory: Path, work: str) -> Path | None:
    """The newest complete checkpoint of this work, or None; deletes all others."""
    found = sorted(directory.glob("checkpoint-*"), key=step_of)
    usable = [path for path in found if (path / MARK).is_file() and (path / MARK).read_text() == describe(path, work)]
    for path in found:
        if path not in usable:
            shutil.rmtree(path)
    return usable[-1] if usable else None

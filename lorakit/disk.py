"""Recognises a full disk, and the error for it."""

import errno
import shutil
from pathlib import Path

from lorakit.contracts import Failure

DISK_FULL = Failure(
    code="platform:disk_full",
    text="The disk that jobs work on is full. Ask the operator to make room.",
    temporary=True,
)
NO_ROOM_BYTES = 1 << 20


def is_full(folder: Path) -> bool:
    """Whether next to nothing can be written to the disk of `folder`. One that cannot be asked is not called full."""
    try:
        return shutil.disk_usage(folder).free < NO_ROOM_BYTES
    except OSError:
        return False


def is_disk_full(error: BaseException, folder: Path) -> bool:
    """Whether a full disk below `folder` caused an error.

    torch does not report the cause when it cannot write a file, so the free space is checked too.
    """
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return True
    return "No space left on device" in str(error) or is_full(folder)

"""A full disk: how it shows, and what is said of it."""

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
    """Whether an error comes of there being no room for what was written to `folder`.

    torch says nothing of the cause when it cannot write a file, so the disk itself is asked as well.
    """
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return True
    return "No space left on device" in str(error) or is_full(folder)

"""Files that come bit by bit: each grows in a folder of this machine until it is whole and moves into storage.

A file's lock says who may write to it. Bytes count as received only once they are safe on disk.
"""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage

from corpora.uploads.errors import UploadBusy
from storage.errors import DiskFull
from storage.objects import save_object, storing

BUFFER_BYTES = 1 << 18
SAFE_EVERY_BYTES = 32 << 20


class Source(Protocol):
    """A request's body."""

    def read(self, size: int, /) -> bytes: ...


class MovableFile(File):  # type: ignore[type-arg]
    """Django's file system storage moves a file that has a path, and reads any other."""

    def __init__(self, file: FileIO, path: Path) -> None:
        super().__init__(file, name="upload")
        self.path = path

    def temporary_file_path(self) -> str:
        return str(self.path)


def staged_path(upload_id: UUID) -> Path:
    """Where the upload's bytes are until it is whole."""
    return Path(settings.UPLOAD_DIR) / upload_id.hex


@contextmanager
def locked_file(upload_id: UUID) -> Iterator[FileIO]:
    """The upload's file, for reading and writing, for nobody else meanwhile; raises UploadBusy or DiskFull."""
    path = staged_path(upload_id)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _full(error) from error
    with FileIO(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UploadBusy from None
        # Whoever had the lock before may have moved or removed the file that was opened above.
        with suppress(FileNotFoundError):
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                yield file
                return
        raise UploadBusy


def resume(file: FileIO, received: int) -> int:
    """Cut off what was written and never noted, and go to the end; its position, lower if the file lost bytes."""
    if file.seek(0, os.SEEK_END) > received:
        file.truncate(received)
    return file.seek(0, os.SEEK_END)


def append(file: FileIO, source: Source, *, length: int, safe: Callable[[int], None]) -> int:
    """Write at most `length` bytes at the file's position and return the position reached, lower where `source` ends.

    `safe` is told each position up to which all is on disk; at the end, and when anything goes wrong, the last one.
    Raises DiskFull, or what reading from `source` raises.
    """
    noted = position = file.tell()
    end = position + length
    try:
        while position < end:
            data = memoryview(source.read(min(BUFFER_BYTES, end - position)))
            if not data:
                break
            while data:
                written = _write(file, data)
                data = data[written:]
                position += written
            if position - noted >= SAFE_EVERY_BYTES:
                _sync(file)
                safe(position)
                noted = position
    finally:
        if position > noted:
            _sync(file)
            safe(position)
    return position


def store(upload_id: UUID, key: str, size: int) -> str | None:
    """Move the whole file into storage and return its key there; None if it is neither whole nor stored already.

    May be called again after it broke off. Raises StorageUnavailable or DiskFull, and then the file stays where it is.
    """
    path = staged_path(upload_id)
    # Whoever cancels the upload removes its file meanwhile.
    with suppress(FileNotFoundError), storing():
        exists = default_storage.exists(key)
        if path.stat().st_size != size:
            return key if exists and default_storage.size(key) == size else None
        if exists:
            default_storage.delete(key)
        with FileIO(path, "r") as file:
            return save_object(key, MovableFile(file, path))
    return None


def remove(upload_id: UUID) -> None:
    """Forget what has come of the upload."""
    staged_path(upload_id).unlink(missing_ok=True)


def staged_files() -> Iterator[tuple[UUID, float]]:
    """(upload, time of the last byte as seconds since 1970) of every file in the folder."""
    folder = Path(settings.UPLOAD_DIR)
    for path in folder.iterdir() if folder.exists() else ():
        with suppress(ValueError, FileNotFoundError):
            yield UUID(hex=path.name), path.stat().st_mtime


def _write(file: FileIO, data: memoryview) -> int:
    try:
        return file.write(data) or 0
    except OSError as error:
        raise _full(error) from error


def _sync(file: FileIO) -> None:
    try:
        os.fsync(file.fileno())
    except OSError as error:
        raise _full(error) from error


def _full(error: OSError) -> Exception:
    """What a failed write means: DiskFull where there is no room, else the error itself."""
    return DiskFull() if error.errno in {errno.ENOSPC, errno.EDQUOT} else error

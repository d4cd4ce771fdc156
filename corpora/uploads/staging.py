"""Staging of resumable uploads: each file grows in a local folder until it is complete and moves into storage.

A lock on the file allows one writer at a time. Bytes count as received only once they are synced to disk.
"""

import errno
import fcntl
import os
import shutil
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
    """The body of a request."""

    def read(self, size: int, /) -> bytes: ...


class MovableFile(File):  # type: ignore[type-arg]
    """A file with a path, which Django's file system storage moves instead of copying."""

    def __init__(self, file: FileIO, path: Path) -> None:
        super().__init__(file, name="upload")
        self.path = path

    def temporary_file_path(self) -> str:
        return str(self.path)


def staged_path(upload_id: UUID) -> Path:
    """The path of the upload's bytes until the upload is complete."""
    return Path(settings.UPLOAD_DIR) / upload_id.hex


def check_room(size: int) -> None:
    """Raises DiskFull if the disk of staged files has less room than `size` bytes.

    Other uploads may take the room meanwhile: this only spares a caller from sending what cannot be kept.
    """
    folder = Path(settings.UPLOAD_DIR)
    while not folder.exists():
        folder = folder.parent
    if shutil.disk_usage(folder).free < size:
        raise DiskFull


@contextmanager
def locked_file(upload_id: UUID) -> Iterator[FileIO]:
    """Open the upload's file for reading and writing, with an exclusive lock. Raises UploadBusy or DiskFull."""
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
        # The previous holder of the lock may have moved or removed the file opened above.
        with suppress(FileNotFoundError):
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                yield file
                return
        raise UploadBusy


def resume(file: FileIO, received: int) -> int:
    """Truncate bytes that were written but not recorded, and seek to the end.

    Returns the end position in bytes, which is lower than `received` if the file lost bytes.
    """
    if file.seek(0, os.SEEK_END) > received:
        file.truncate(received)
    return file.seek(0, os.SEEK_END)


def append(file: FileIO, source: Source, *, length: int, safe: Callable[[int], None]) -> int:
    """Write up to `length` bytes at the file's position. Returns the position reached, lower if `source` ends early.

    `safe` is called with each position that is synced to disk, and with the last one also after an error.
    Raises DiskFull, or any error of reading from `source`.
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
    """Move the complete file into storage and return its key. Returns None if it is incomplete and not stored yet.

    Safe to call again after a failure. Raises StorageUnavailable or DiskFull, and then leaves the file in place.
    """
    path = staged_path(upload_id)
    # A cancellation may remove the file at any time.
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
    """Remove the upload's staged file, if it exists."""
    staged_path(upload_id).unlink(missing_ok=True)


def staged_files() -> Iterator[tuple[UUID, float]]:
    """The upload id and modification time (seconds since 1970) of every staged file."""
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
    """DiskFull if the disk or quota is full, otherwise the error itself."""
    return DiskFull() if error.errno in {errno.ENOSPC, errno.EDQUOT} else error

"""A file uploaded in one request, counted, hashed and limited in size while it streams into storage."""

import hashlib
from collections.abc import Iterator
from typing import IO

from django.core.files.base import File

from corpora.errors import UploadTooLarge
from storage.objects import CHUNK_BYTES


class ReceivedFile(File):  # type: ignore[type-arg]
    """Counts `bytes_read` and updates `sha256` while it is read. Reading past `limit` bytes raises UploadTooLarge."""

    def __init__(self, file: IO[bytes], *, limit: int) -> None:
        super().__init__(file, name="upload")
        self.source = file
        self.limit = limit
        self.bytes_read = 0
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self.source.read(size)
        self.bytes_read += len(data)
        if self.bytes_read > self.limit:
            raise UploadTooLarge(self.limit)
        self.sha256.update(data)
        return data

    def seekable(self) -> bool:
        # Reading a part twice would corrupt the hash.
        return False

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        while data := self.read(chunk_size or CHUNK_BYTES):
            yield data

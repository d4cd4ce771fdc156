"""Receives the bytes of an upload, in chunks or in parts, stores the complete file and starts its inspection.

None of this runs in a transaction: sending may take hours, and progress must be recorded immediately.
"""

from contextlib import suppress
from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from corpora.models import Upload, UploadState
from corpora.uploads import staging
from corpora.uploads.backends import parts_storage
from corpora.uploads.backends.s3 import Part, PartsStorage
from corpora.uploads.errors import NotReceiving, NotWhole, TooManyBytes, UploadGone, WrongOffset
from corpora.uploads.services import fail_upload, start_inspection
from storage.removal import remove_objects

PARTS_AT_ONCE = 8


def append_to_upload(*, upload: Upload, source: staging.Source, offset: int, length: int) -> Upload:
    """Append `length` bytes from `source` at `offset`. The last bytes of the file start its inspection.

    If `source` ends early, `received` of the returned upload says how many bytes arrived. Raises UploadBusy,
    UploadGone, NotReceiving, WrongOffset, TooManyBytes, DiskFull or StorageUnavailable. Recorded bytes are kept.
    """
    with staging.locked_file(upload.id) as file:
        upload = _receiving(upload.id)
        if upload.received < upload.bytes:
            held = staging.resume(file, upload.received)
            if held < upload.received:
                _note(upload.id, held)
            if offset != held:
                raise WrongOffset(held)
            if length > upload.bytes - offset:
                raise TooManyBytes(upload.bytes)
            upload.received = staging.append(file, source, length=length, safe=partial(_note, upload.id))
        if upload.received == upload.bytes:
            _store(upload)
    return upload


def next_parts(*, upload: Upload) -> list[Part]:
    """The next missing parts with their URLs, at most `PARTS_AT_ONCE`. Empty when storage has all parts.

    Raises NotReceiving, UploadGone or StorageUnavailable.
    """
    storage = _storage_of(upload)
    there = storage.received(upload.key, upload.multipart_id)
    missing = storage.missing(size=upload.bytes, there=there)
    _note(upload.id, upload.bytes - sum(length for _, _, length in missing))
    return [storage.part(upload.key, upload.multipart_id, *place) for place in missing[:PARTS_AT_ONCE]]


def complete_upload(*, upload: Upload) -> Upload:
    """Join the parts in storage and start the inspection. Safe to call again after a failure.

    Raises NotReceiving, NotWhole, UploadGone or StorageUnavailable.
    """
    storage = _storage_of(upload)
    # Gone may mean already joined, by a call whose response was lost.
    with suppress(UploadGone):
        there = storage.received(upload.key, upload.multipart_id)
        missing = storage.missing(size=upload.bytes, there=there)
        if missing:
            raise NotWhole(upload.bytes - sum(length for _, _, length in missing), upload.bytes)
        storage.complete(upload.key, upload.multipart_id, size=upload.bytes)
    stored = storage.size(upload.key)
    if stored is None:
        raise UploadGone
    if stored != upload.bytes:
        text = f"Expected {upload.bytes} bytes but received {stored}. Upload the file again."
        with transaction.atomic():
            fail_upload(upload, code="upload:wrong_size", text=text)
        return upload
    return _go_on(upload, key=upload.key)


def finish_upload(*, upload: Upload) -> None:
    """Finish an upload whose bytes have all arrived. Does nothing if it was finished in the meantime.

    Raises UploadBusy, UploadGone, WrongOffset, NotWhole, DiskFull or StorageUnavailable.
    """
    with suppress(NotReceiving):
        if upload.multipart_id:
            complete_upload(upload=upload)
            return
        with staging.locked_file(upload.id):
            upload = _receiving(upload.id)
            if upload.received == upload.bytes:
                _store(upload)


def _store(upload: Upload) -> None:
    """Move the complete file into storage. The caller holds the file's lock."""
    key = staging.store(upload.id, upload.key, upload.bytes)
    if key is None:
        _note(upload.id, 0)
        staging.remove(upload.id)
        raise WrongOffset(0)
    _go_on(upload, key=key)
    staging.remove(upload.id)


def _go_on(upload: Upload, *, key: str) -> Upload:
    """Start the inspection of the complete file stored under `key`."""
    with transaction.atomic():
        found = Upload.objects.select_for_update(of=("self",)).filter(id=upload.id).first()
        if found is not None and found.is_receiving:
            found.key, found.received = key, found.bytes
            start_inspection(found)
    if found is None or found.state == UploadState.FAILED:
        remove_objects(tenant_id=upload.tenant_id, keys=[key])
        raise UploadGone
    return found


def _receiving(upload_id: UUID) -> Upload:
    upload = Upload.objects.filter(id=upload_id).first()
    if upload is None or upload.state == UploadState.FAILED:
        staging.remove(upload_id)
        raise UploadGone
    if not upload.is_receiving or upload.multipart_id:
        raise NotReceiving
    return upload


def _storage_of(upload: Upload) -> PartsStorage:
    storage = parts_storage() if upload.multipart_id else None
    if storage is None or not upload.is_receiving:
        raise NotReceiving
    return storage


def _note(upload_id: UUID, received: int) -> None:
    """Record that `received` bytes are safely stored. Raises UploadGone."""
    rows = Upload.objects.filter(id=upload_id, state=UploadState.RECEIVING)
    if not rows.update(received=received, touched_at=timezone.now()):
        staging.remove(upload_id)
        raise UploadGone

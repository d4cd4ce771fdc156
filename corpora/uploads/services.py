"""Start, inspect, confirm and cancel uploads. `corpora.uploads.receiving` receives their bytes."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import PurePath
from typing import Any
from uuid import UUID, uuid4

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from corpora.errors import EmptyUpload, UploadTooLarge
from corpora.ingest.contracts import Inspection
from corpora.models import Dataset, DatasetVersion, Upload, UploadState
from corpora.options import read_options
from corpora.quota import reserve
from corpora.uploads import staging
from corpora.uploads.backends import parts_storage
from corpora.uploads.errors import AlreadyUsed, NotWaiting, UploadGone
from corpora.versions.last_options import READ_BY, LastOptions, last_options
from corpora.versions.services import create_version, shown_name
from jobs.services import start_job, stop_job
from rest.errors import Conflict, PortalError
from rest.names import check_name, visible
from storage.objects import object_key
from storage.removal import expect_object, remove_objects
from tenants.audit.services import record_event
from tenants.models import Tenant, User

INSPECT = "dataset_inspect"


def create_upload(
    *,
    tenant: Tenant,
    file_name: str,
    size: int,
    dataset: Dataset | None = None,
    dataset_name: str = "",
    options: Mapping[str, Any] | None = None,
    confirms_itself: bool = False,
    in_parts: bool = False,
    created_by: User | None,
) -> Upload:
    """Start an upload of `size` bytes and reserve storage for it.

    Without a dataset and a name, the file's dataset is named after it. Without options, it begins with those of the
    dataset's newest version. With `in_parts`, the bytes go directly to
    storage if it supports that. Call it outside a transaction. Raises EmptyUpload, UploadTooLarge, QuotaExceeded,
    InvalidName, StorageUnavailable, DiskFull or WrongOption.
    """
    if size <= 0:
        raise EmptyUpload
    if size > settings.MAX_UPLOAD_BYTES:
        raise UploadTooLarge(settings.MAX_UPLOAD_BYTES)
    name = shown_name(file_name)
    shown = "" if dataset else check_name(dataset_name)[:120] or name_after(name)
    last = LastOptions({}, None)
    if options is None:
        last = last_options(tenant=tenant, dataset=dataset, dataset_name=shown)
    read = read_options(last.options if options is None else options)
    storage = parts_storage() if in_parts else None
    if storage is None:
        staging.check_room(size)
    with transaction.atomic():
        reserve(tenant=tenant, size=size)
        upload: Upload = Upload.objects.create(
            tenant=tenant,
            dataset=dataset,
            dataset_name=shown,
            file_name=name,
            bytes=size,
            key=object_key(tenant.id, "datasets", uuid4().hex, "upload"),
            options=msgspec.to_builtins(read),
            options_from=last.number,
            confirms_itself=confirms_itself,
            created_by=created_by,
        )
        record_event("upload.started", upload, after={"bytes": size, "dataset": upload.dataset_name or str(dataset)})
    if storage is not None:
        try:
            upload.multipart_id = storage.begin(upload.key)
        except PortalError:
            upload.delete()
            raise
        upload.save(update_fields=["multipart_id"])
    return upload


def inspect_upload(*, upload: Upload, changes: Mapping[str, Any]) -> Upload:
    """Inspect the head of the file again with changed options.

    Raises UploadGone, NotWaiting or WrongOption.
    """
    with transaction.atomic():
        upload = _waiting(upload.id)
        before = upload.options
        _change_options(upload, changes)
        start_inspection(upload)
        record_event("upload.inspected_again", upload, before=before, after=upload.options)
    return upload


def confirm_upload(
    *,
    upload: Upload,
    changes: Mapping[str, Any] | None = None,
    dataset: Dataset | None = None,
    dataset_name: str = "",
    created_by: User | None,
) -> DatasetVersion:
    """Import the file as a version of `dataset` or of the dataset called `dataset_name`.

    Without either, the dataset given at the start of the upload is used. A dataset given only now does not change the
    options: the file is imported as its preview was made. Repeated calls return the same version.
    Raises UploadGone, NotWaiting, InvalidName, DatasetGone, SameFile or WrongOption.
    """
    with transaction.atomic():
        Upload.objects.select_for_update().filter(id=upload.id).first()
        version = DatasetVersion.objects.filter(upload=upload.id).first()
        if version is not None:
            return version
        upload = _waiting(upload.id)
        if dataset is not None or dataset_name.strip():
            upload.dataset, upload.dataset_name = dataset, "" if dataset else check_name(dataset_name)[:120]
        _change_options(upload, changes or {})
        return _make_version(upload, created_by=created_by)


def abort_upload(*, upload: Upload, untouched_since: datetime | None = None) -> None:
    """Cancel the upload and free its storage. Does nothing if it is already gone. Call it outside a transaction.

    With `untouched_since`, cancel it only if nothing has touched it since then. Raises AlreadyUsed if it was imported,
    and StorageUnavailable if its parts could not be removed. In that case it is cancelled, and its row stays until
    they are removed.
    """
    uploads = Upload.objects.select_for_update(of=("self",)).filter(id=upload.id)
    if untouched_since is not None:
        uploads = uploads.left_behind(before=untouched_since)
    with transaction.atomic():
        found = uploads.first()
        if found is None:
            return
        if found.state == UploadState.DONE:
            raise AlreadyUsed
        looking = found.job_id if found.is_inspecting else None
        is_stored = found.is_inspecting or found.is_waiting
        _save(found, state=UploadState.FAILED, code="upload:cancelled", text="The upload was cancelled.")
        record_event("upload.cancelled", found)
    if looking:
        with suppress(Conflict):
            stop_job(job_id=looking)
    staging.remove(found.id)
    storage = parts_storage() if found.multipart_id else None
    if storage is not None:
        storage.abort(found.key)
    with transaction.atomic():
        if is_stored:
            remove_objects(tenant_id=found.tenant_id, keys=[found.key])
        else:
            # Another process may be storing the file right now. Its object is then removed later.
            expect_object(tenant_id=found.tenant_id, key=found.key)
        Upload.objects.filter(id=found.id).delete()


def start_inspection(upload: Upload) -> None:
    """Queue the job that inspects the file. The caller holds the row's lock."""
    upload.job = start_job(
        tenant=upload.tenant,
        kind=INSPECT,
        title=f"Inspect {upload.file_name}",
        spec={"upload": str(upload.id)},
        created_by=upload.created_by,
    )
    _save(upload, state=UploadState.INSPECTING)


def record_inspection(*, upload_id: UUID, inspection: Inspection) -> None:
    """Save the inspection. An upload that confirms itself is imported, or fails if it cannot be.

    Call it in a transaction.
    """
    upload = _inspected(upload_id)
    if upload is None:
        return
    upload.inspection = msgspec.to_builtins(inspection)
    upload.sha256 = inspection.upload_sha256
    if not upload.confirms_itself:
        if _drop_absent_columns(upload, inspection):
            start_inspection(upload)
        else:
            _save(upload, state=UploadState.WAITING)
        return
    try:
        _make_version(upload, created_by=upload.created_by)
    except PortalError as error:
        fail_upload(upload, code=error.code, text=error.text)


def record_failed_inspection(*, upload_id: UUID, code: str, text: str) -> None:
    """Record that the inspection failed. The file can be inspected again or confirmed. Call it in a transaction."""
    upload = _inspected(upload_id)
    if upload is not None:
        _save(upload, state=UploadState.WAITING, code=code, text=text)


def fail_upload(upload: Upload, *, code: str, text: str) -> None:
    """Fail the upload and remove its file. The row keeps the reason until it is removed. Call it in a transaction."""
    _save(upload, state=UploadState.FAILED, code=code, text=text)
    remove_objects(tenant_id=upload.tenant_id, keys=[upload.key])


PACKED = frozenset({".gz", ".zst", ".bz2", ".zip"})


def name_after(file_name: str) -> str:
    """The dataset name for a file name: `ticket_rows.jsonl.gz` becomes “ticket rows”."""
    path = PurePath(visible(file_name))
    stem = (path.with_suffix("") if path.suffix.lower() in PACKED else path).stem
    return stem.replace("_", " ").strip()[:120] or "Dataset"


def _make_version(upload: Upload, *, created_by: User | None) -> DatasetVersion:
    version = create_version(
        tenant=upload.tenant,
        key=upload.key,
        size=upload.bytes,
        sha256=upload.sha256,
        file_name=upload.file_name,
        dataset=upload.dataset,
        # The intended dataset may have been deleted.
        dataset_name=upload.dataset_name or name_after(upload.file_name),
        options=read_options(upload.options),
        options_from=upload.options_from,
        created_by=created_by,
    )
    upload.version = version
    _save(upload, state=UploadState.DONE)
    return version


def _change_options(upload: Upload, changes: Mapping[str, Any]) -> None:
    """Set the options. Once one says otherwise how the file is read, they are no longer those of an earlier version."""
    before = upload.options
    upload.options = msgspec.to_builtins(read_options({**before, **changes}))
    if any(upload.options[name] != before.get(name) for name in READ_BY):
        upload.options_from = None


def _drop_absent_columns(upload: Upload, inspection: Inspection) -> bool:
    """Drop mapped columns that came from an earlier version and are not in the file. Returns whether there are any."""
    columns: dict[str, str] = upload.options.get("columns", {})
    refused = {problem.field for problem in inspection.problems if problem.stops} & set(columns)
    if upload.options_from is None or not refused:
        return False
    # Names of a table's columns are not case-sensitive.
    present = {column.lower() for column in inspection.columns}
    absent = {field for field, column in columns.items() if field in refused or column.lower() not in present}
    upload.dropped_columns = [*upload.dropped_columns, *(columns[field] for field in sorted(absent))]
    kept = {field: column for field, column in columns.items() if field not in absent}
    upload.options = {**upload.options, "columns": kept}
    return True


def _save(upload: Upload, *, state: UploadState, code: str = "", text: str = "") -> None:
    upload.state, upload.error_code, upload.error_text = state, code, text
    upload.touched_at = timezone.now()
    upload.save()


def _waiting(upload_id: UUID) -> Upload:
    upload = Upload.objects.select_for_update(of=("self",)).filter(id=upload_id).first()
    if upload is None:
        raise UploadGone
    if not upload.is_waiting:
        raise NotWaiting(upload.get_state_display())
    return upload


def _inspected(upload_id: UUID) -> Upload | None:
    uploads = Upload.objects.select_for_update(of=("self",))
    return uploads.filter(id=upload_id, state=UploadState.INSPECTING).first()

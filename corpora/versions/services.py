"""Create, recheck and delete versions, and record the results of their checks."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import PurePath
from typing import IO, Any
from uuid import UUID, uuid4

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Max, ProtectedError, QuerySet
from django.utils import timezone

from corpora.errors import DatasetGone, EmptyUpload, NameMissing, QuotaExceeded
from corpora.ingest.contracts import FINDINGS, INDEX, TEST, TRAIN, Options, Problem, Report
from corpora.models import Dataset, DatasetVersion, VersionState
from corpora.options import read_options
from corpora.quota import reserve
from corpora.versions.errors import SameFile, StillChecking, VersionGone, VersionInUse
from corpora.versions.last_options import NOT_BY_OPTIONS, LastOptions, kept_from, last_options
from corpora.versions.one_piece import ReceivedFile
from jobs.services import start_job
from rest.names import check_name, visible
from storage.objects import object_key, save_object
from storage.removal import expect_object, keep_object, remove_objects
from tenants.audit.services import record_event
from tenants.models import Tenant, User

CHECK = "dataset_check"

DIGESTED_ALWAYS = frozenset({
    "file_format", "delimiter", "encoding", "layout", "columns", "bad_rows", "personal_data", "over_long", "leaks",
    "near_leaks", "preferences", "reasoning", "context", "test_share", "seed", "schema",
})  # fmt: skip
"""The options of the first digests. Never add one that is new."""


def upload_version(
    *,
    tenant: Tenant,
    file: IO[bytes],
    file_name: str,
    dataset_name: str = "",
    dataset: Dataset | None = None,
    options: Mapping[str, Any] | None = None,
    created_by: User | None,
) -> DatasetVersion:
    """Store a file as the next version of `dataset` or of the dataset called `dataset_name`, and start its check.

    Without options, it has those of the dataset's newest version. Call it outside a transaction: it streams the file
    into storage first, then writes all database rows in one transaction. Raises EmptyUpload, UploadTooLarge,
    QuotaExceeded, NameMissing, InvalidName, WrongOption, DatasetGone, SameFile, ObjectGivenUp, StorageUnavailable or
    DiskFull. After an error, nothing is left in storage.
    """
    if dataset is None and not check_name(dataset_name):
        raise NameMissing
    last = LastOptions({}, None)
    if options is None:
        last = last_options(tenant=tenant, dataset=dataset, dataset_name=check_name(dataset_name)[:120])
    read = read_options(last.options if options is None else options)
    received = ReceivedFile(file, limit=settings.MAX_UPLOAD_BYTES)
    key = object_key(tenant.id, "datasets", uuid4().hex, "upload")
    expect_object(tenant_id=tenant.id, key=key)
    try:
        save_object(key, received)
        if received.bytes_read == 0:
            raise EmptyUpload
        with transaction.atomic():
            reserve(tenant=tenant, size=received.bytes_read)
            keep_object(tenant_id=tenant.id, key=key)
            return create_version(
                tenant=tenant,
                key=key,
                size=received.bytes_read,
                sha256=received.sha256.hexdigest(),
                file_name=file_name,
                dataset=dataset,
                dataset_name=dataset_name,
                options=read,
                options_from=last.number,
                created_by=created_by,
            )
    except BaseException:
        remove_objects(tenant_id=tenant.id, keys=[key])
        raise


@transaction.atomic
def create_version(
    *,
    tenant: Tenant,
    key: str,
    size: int,
    sha256: str,
    file_name: str,
    dataset: Dataset | None,
    dataset_name: str,
    options: Options,
    options_from: int | None = None,
    derived_from: DatasetVersion | None = None,
    created_by: User | None,
) -> DatasetVersion:
    """Create the next version from the file of `size` bytes stored under `key`, and start its check.

    `sha256` may be empty for a file that was uploaded directly to storage; the check computes it. Raises NameMissing,
    InvalidName, DatasetGone, SameFile or VersionGone.
    """
    if dataset is None:
        name = check_name(dataset_name)[:120]
        if not name:
            raise NameMissing
        dataset, created = Dataset.objects.get_or_create(tenant=tenant, name=name, defaults={"created_by": created_by})
        if created:
            record_event("dataset.created", dataset)
    # The lock serialises uploads to one dataset, so that each sees the versions and numbers before it.
    dataset = _locked(dataset.id)
    if dataset is None:
        raise DatasetGone
    if derived_from is not None and not DatasetVersion.objects.filter(id=derived_from.id).exists():
        raise VersionGone
    digest = options_digest(options)
    same = _same_file(dataset.id, sha256, digest).first() if sha256 else None
    if same is not None:
        raise SameFile(version=f"version {same.number} of “{dataset.name}”", version_id=str(same.id))
    number = (dataset.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    version_id = uuid4()
    job = start_job(
        tenant=tenant,
        kind=CHECK,
        title=f"Check {dataset.name} v{number}",
        spec={"version": str(version_id)},
        created_by=created_by,
    )
    version: DatasetVersion = DatasetVersion.objects.create(
        id=version_id,
        tenant=tenant,
        dataset=dataset,
        number=number,
        job=job,
        file_name=shown_name(file_name),
        upload_sha256=sha256,
        upload_bytes=size,
        upload_key=key,
        options=msgspec.to_builtins(options),
        options_digest=digest,
        options_from=options_from,
        derived_from=derived_from,
        created_by=created_by,
    )
    after = {"file": version.file_name, "bytes": size, "sha256": sha256, "options": version.options}
    record_event("dataset_version.created", version, after=after)
    return version


def recheck_version(*, version: DatasetVersion, changes: Mapping[str, Any], created_by: User | None) -> DatasetVersion:
    """Create the dataset's next version from the same file with changed options, and start its check.

    Raises StillChecking, DatasetGone, VersionGone, SameFile if that version exists already, or WrongOption.
    """
    if version.is_checking:
        raise StillChecking
    return create_version(
        tenant=version.tenant,
        key=version.upload_key,
        size=version.upload_bytes,
        sha256=version.upload_sha256,
        file_name=version.file_name,
        dataset=version.dataset,
        dataset_name="",
        options=read_options({**version.options, **changes}),
        derived_from=version,
        created_by=created_by,
    )


@transaction.atomic
def keep_personal_data(*, version: DatasetVersion, by: User | None) -> None:
    """Record that `by` decided to keep the personal data in the version. Only the first call has an effect."""
    undecided = DatasetVersion.objects.filter(id=version.id, personal_data_kept_at=None)
    if undecided.update(personal_data_kept_at=timezone.now(), personal_data_kept_by=by):
        record_event("dataset_version.personal_data_kept", version)


@transaction.atomic
def delete_version(*, version: DatasetVersion) -> None:
    """Delete an unused version, its rows, and its file unless another version shares it.

    Raises VersionGone, StillChecking or VersionInUse.
    """
    # Creating or deleting another version of the file locks the dataset too.
    if _locked(version.dataset_id) is None:
        raise VersionGone
    if version.is_checking:
        raise StillChecking
    version_id, tenant_id = version.id, version.tenant_id
    try:
        with transaction.atomic():
            record_event("dataset_version.deleted", version, before={"file": version.file_name})
            version.delete()
    except ProtectedError:
        raise VersionInUse from None
    keys = {version.train_key, version.test_key, version.index_key, version.findings_key}
    # A failed check may have stored files that the row does not name.
    keys |= {rows_key(tenant_id, version_id, name) for name in (TRAIN, TEST, INDEX, FINDINGS)}
    if not DatasetVersion.objects.filter(upload_key=version.upload_key).exists():
        keys.add(version.upload_key)
    remove_objects(tenant_id=tenant_id, keys=keys - {""})


def rows_key(tenant_id: UUID, version_id: UUID, name: str) -> str:
    """The object key of an output file of a version's check."""
    return object_key(tenant_id, "datasets", version_id.hex, name)


def record_report(*, version_id: UUID, report: Report, keys: dict[str, str], rows_bytes: int) -> None:
    """Make a version ready or rejected according to its report.

    `keys` are its object keys by file name, `rows_bytes` the bytes of these objects together. A version for whose rows
    there is no room by now, because another was checked meanwhile, is rejected, and its rows are removed.
    """
    version = DatasetVersion.objects.select_for_update(of=("self",)).select_related("tenant").get(id=version_id)
    if not version.is_checking:
        return
    try:
        reserve(tenant=version.tenant, size=rows_bytes)
    except QuotaExceeded as error:
        reject_version(version_id=version_id, code=error.code, text=error.text)
        remove_objects(tenant_id=version.tenant_id, keys=keys.values())
        return
    if not version.upload_sha256 and _same_file(version.dataset_id, report.upload_sha256, version.options_digest):
        text = "This file is already a version of this dataset. Use that version, or upload a changed file."
        reject_version(version_id=version_id, code=SameFile.code, text=text)
        return
    found = msgspec.to_builtins(report)
    profile = {
        name: found[name]
        for name in ("layout", "delimiter", "encoding", "position", "metadata", "warnings", "problems_by_code")
    }
    changes = {
        "upload_sha256": report.upload_sha256,
        "file_format": report.file_format,
        "rows_bytes": rows_bytes,
        "row_count": report.rows,
        "problem_count": report.problem_count,
        "problems": found["problems"],
        "findings_key": keys[FINDINGS],
        "profile": profile | (found["profile"] or {}),
    }
    if report.accepted:
        changes |= {
            "state": VersionState.READY,
            "train_count": report.train,
            "test_count": report.test,
            "rows_sha256": report.rows_sha256,
            "train_key": keys[TRAIN],
            "test_key": keys[TEST],
            "index_key": keys[INDEX],
        }
    else:
        changes |= {
            "state": VersionState.REJECTED,
            "error_code": cause(report).code,
            "error_text": _headline_of(version, report),
        }
    _checking(version_id).update(**changes)


def reject_version(*, version_id: UUID, code: str, text: str) -> None:
    """Reject a version. Its dataset and file stay, and the file may be uploaded again."""
    _checking(version_id).update(state=VersionState.REJECTED, error_code=code, error_text=text)


def cause(report: Report) -> Problem:
    """Why a file is rejected: the problem with the whole file, if any, otherwise its first row with a problem."""
    return next((problem for problem in report.problems if problem.stops), report.problems[0])


def headline(report: Report) -> str:
    """The cause of a rejection in one paragraph: where, what, how to fix it, and the number of rows with problems."""
    found = cause(report)
    place = [f"{report.position.capitalize()} {found.line}"] if found.line else []
    place += [found.field] if found.field else []
    text = f"{', '.join(place)}: {found.text}" if place else found.text
    if report.problem_count > 1 and not found.stops:
        text += f" {report.problem_count:,} rows have problems: fix them and upload the file again, or leave them out."
    return text


def _headline_of(version: DatasetVersion, report: Report) -> str:
    """The headline, and for a file that the options of an earlier version do not fit, where they came from."""
    found = cause(report)
    is_unread = (found.stops or not report.rows) and found.code not in NOT_BY_OPTIONS
    kept = kept_from(version.options_from, version.options) if version.options_from and is_unread else ""
    if not kept:
        return headline(report)
    return (
        f"{headline(report)} {kept} If that does not fit this file, upload it again and choose “Read it afresh” in its "
        "preview, or send other options; an empty object in `options` detects everything."
    )


def _locked(dataset_id: UUID) -> Dataset | None:
    """The dataset, locked until the transaction ends. None if it is gone."""
    return Dataset.objects.select_for_update().filter(id=dataset_id).first()


def _checking(version_id: UUID) -> QuerySet[DatasetVersion]:
    return DatasetVersion.objects.filter(id=version_id, state=VersionState.CHECKING)


def _same_file(dataset_id: UUID, sha256: str, digest: str) -> QuerySet[DatasetVersion]:
    versions = DatasetVersion.objects.filter(dataset_id=dataset_id, upload_sha256=sha256, options_digest=digest)
    return versions.exclude(state=VersionState.REJECTED)


def options_digest(options: Options) -> str:
    """A hash of the options, as 32 hexadecimal digits.

    It must stay the same for the same options, or a file that was uploaded earlier is not recognised. So an option that
    was added after the first digests counts only where it is set.
    """
    defaults = Options()
    given = {
        name: value
        for name, value in asdict(options).items()
        if name in DIGESTED_ALWAYS or value != getattr(defaults, name)
    }
    return hashlib.sha256(msgspec.json.encode(given)).hexdigest()[:32]


def shown_name(file_name: str) -> str:
    """A customer's file name, cleaned for display."""
    return visible(PurePath(file_name.replace("\0", "").replace("\\", "/")).name).strip()[:255] or "upload"

"""Every write to datasets."""

from pathlib import PurePath
from typing import IO
from uuid import UUID, uuid4

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet

from corpora.errors import EmptyUpload, NameMissing, SameFile
from corpora.ingest.contracts import ROWS, TEST, TRAIN, Report
from corpora.models import Dataset, DatasetVersion, VersionState
from corpora.uploads import ReceivedFile, store_upload
from jobs.services import start_job
from tenants.models import Tenant, User
from tenants.objects import delete_object, object_key

CHECK = "dataset_check"


def upload_version(
    *,
    tenant: Tenant,
    file: IO[bytes],
    file_name: str,
    dataset_name: str = "",
    dataset: Dataset | None = None,
    created_by: User | None,
) -> DatasetVersion:
    """Store a file as the next version of `dataset`, or of the one called `dataset_name`, and start checking it.

    Call it outside a transaction: it streams into storage first and writes its rows last, together. Raises
    EmptyUpload, UploadTooLarge, NameMissing or SameFile, and then leaves nothing behind.
    """
    name = dataset_name.strip()[:120]
    if dataset is None and not name:
        raise NameMissing
    version_id = uuid4()
    received = ReceivedFile(file, limit=settings.MAX_UPLOAD_BYTES)
    key = store_upload(object_key(tenant.id, "datasets", version_id.hex, "upload"), received)
    try:
        if received.bytes_read == 0:
            raise EmptyUpload
        return _record_version(
            tenant=tenant,
            version_id=version_id,
            key=key,
            received=received,
            file_name=_shown_name(file_name),
            dataset=dataset,
            dataset_name=name,
            created_by=created_by,
        )
    except BaseException:
        delete_object(key)
        raise


@transaction.atomic
def _record_version(
    *,
    tenant: Tenant,
    version_id: UUID,
    key: str,
    received: ReceivedFile,
    file_name: str,
    dataset: Dataset | None,
    dataset_name: str,
    created_by: User | None,
) -> DatasetVersion:
    if dataset is None:
        dataset, _ = Dataset.objects.get_or_create(
            tenant=tenant, name=dataset_name, defaults={"created_by": created_by}
        )
    # Uploads to one dataset take turns from here on: each sees the versions and the numbers of those before it.
    dataset = Dataset.objects.select_for_update().get(id=dataset.id)
    sha256 = received.sha256.hexdigest()
    same = dataset.versions.exclude(state=VersionState.REJECTED).filter(upload_sha256=sha256).first()
    if same is not None:
        raise SameFile(version=f"version {same.number} of “{dataset.name}”", version_id=str(same.id))
    number = (dataset.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    job = start_job(
        tenant=tenant,
        kind=CHECK,
        title=f"Check {dataset.name} v{number}",
        spec={"version": str(version_id), "upload_key": key, "sha256": sha256, "bytes": received.bytes_read},
        created_by=created_by,
    )
    return DatasetVersion.objects.create(
        id=version_id,
        tenant=tenant,
        dataset=dataset,
        number=number,
        job=job,
        file_name=file_name,
        upload_sha256=sha256,
        upload_bytes=received.bytes_read,
        upload_key=key,
        created_by=created_by,
    )


def record_report(*, version_id: UUID, report: Report, keys: dict[str, str]) -> None:
    """Make a version ready or rejected, by what its check found; `keys` are its rows in storage, by file name."""
    found = msgspec.to_builtins(report)
    profile = {name: found[name] for name in ("layout", "position", "warnings", "problems_by_code")}
    changes = {
        "file_format": report.file_format,
        "row_count": report.rows,
        "problem_count": report.problem_count,
        "problems": found["problems"],
        "profile": profile | (found["profile"] or {}),
    }
    if report.accepted:
        changes |= {
            "state": VersionState.READY,
            "train_count": report.train,
            "test_count": report.test,
            "rows_sha256": report.rows_sha256,
            "rows_key": keys[ROWS],
            "train_key": keys[TRAIN],
            "test_key": keys[TEST],
            "preview": found["preview"],
        }
    else:
        changes |= {
            "state": VersionState.REJECTED,
            "error_code": report.problems[0].code,
            "error_text": headline(report),
        }
    _checking(version_id).update(**changes)


def reject_version(*, version_id: UUID, code: str, text: str) -> None:
    """The version cannot be used; its dataset and the file stay, and the file may be sent again."""
    _checking(version_id).update(state=VersionState.REJECTED, error_code=code, error_text=text)


def headline(report: Report) -> str:
    """The first problem of a rejected file in one paragraph: where, what, how to mend it, and how many more."""
    first = report.problems[0]
    place = [f"{report.position.capitalize()} {first.line}"] if first.line else []
    place += [first.field] if first.field else []
    text = f"{', '.join(place)}: {first.text}" if place else first.text
    if report.problem_count > 1:
        text += f" {report.problem_count:,} rows cannot be used. Mend them and upload the file again."
    return text


def _checking(version_id: UUID) -> QuerySet[DatasetVersion]:
    return DatasetVersion.objects.filter(id=version_id, state=VersionState.CHECKING)


def _shown_name(file_name: str) -> str:
    return PurePath(file_name.replace("\0", "").replace("\\", "/")).name[:255] or "upload"

"""Finishes complete uploads that got stuck, and removes abandoned uploads with their files and parts."""

import datetime as dt
from collections.abc import Callable, Iterable

import structlog
from django.conf import settings
from django.utils import timezone

from corpora.models import Upload
from corpora.uploads import staging
from corpora.uploads.backends import parts_storage
from corpora.uploads.receiving import finish_upload
from corpora.uploads.services import abort_upload
from rest.errors import PortalError
from tenants.scope import system_scope, tenant_scope

STUCK = dt.timedelta(seconds=15)
AT_ONCE = 50

log = structlog.get_logger(__name__)


def go_on_with_whole_uploads() -> int:
    """Finish complete uploads that could not be stored before. Returns the number of uploads finished."""
    with system_scope():
        uploads = list(Upload.objects.whole(before=timezone.now() - STUCK)[:AT_ONCE])
    return _for_each(uploads, lambda upload: finish_upload(upload=upload))


def clear_abandoned_uploads() -> int:
    """Cancel uploads untouched for UPLOAD_KEPT_HOURS, and remove files and parts that belong to no upload.

    Returns the number of uploads, files and multipart uploads removed. Safe to run twice.
    """
    before = timezone.now() - dt.timedelta(hours=settings.UPLOAD_KEPT_HOURS)
    with system_scope():
        uploads = list(Upload.objects.left_behind(before=before)[:AT_ONCE])
    cleared = _for_each(uploads, lambda upload: abort_upload(upload=upload, untouched_since=before))
    return cleared + _clear_stray_files(before) + _clear_stray_parts(before)


def _for_each(uploads: Iterable[Upload], act: Callable[[Upload], None]) -> int:
    """Call `act` for each upload in its tenant's scope. Returns the number of successes; failures are logged."""
    done = 0
    for upload in uploads:
        with tenant_scope(upload.tenant_id):
            try:
                act(upload)
                done += 1
            except PortalError as error:
                log.warning("upload_left_behind", upload=str(upload.id), code=error.code)
    return done


def _clear_stray_files(before: dt.datetime) -> int:
    old = [upload_id for upload_id, touched in staging.staged_files() if touched < before.timestamp()]
    with system_scope():
        known = set(Upload.objects.filter(id__in=old).values_list("id", flat=True))
    stray = [upload_id for upload_id in old if upload_id not in known]
    for upload_id in stray:
        staging.remove(upload_id)
    return len(stray)


def _clear_stray_parts(before: dt.datetime) -> int:
    storage = parts_storage()
    if storage is None:
        return 0
    old = [(key, number) for key, number, begun in storage.open_uploads("tenants/") if begun < before]
    with system_scope():
        known = set(Upload.objects.filter(multipart_id__in=[number for _, number in old]).values_list("multipart_id"))
    stray = [(key, number) for key, number in old if (number,) not in known]
    for key, number in stray:
        storage.abort_one(key, number)
    return len(stray)

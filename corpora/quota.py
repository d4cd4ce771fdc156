"""How much a tenant stores, counted from the rows themselves so that the count cannot drift."""

from django.db.models import Max, Sum

from corpora.errors import QuotaExceeded
from corpora.models import DatasetVersion, Upload
from tenants.models import Tenant


def used_bytes(tenant: Tenant) -> int:
    """Bytes of the tenant's files: each stored one once, and unfinished uploads as announced."""
    # Versions of the same file read in other ways share its object.
    files = DatasetVersion.objects.filter(tenant=tenant).order_by().values("upload_key")
    stored = files.annotate(size=Max("upload_bytes")).aggregate(total=Sum("size"))["total"] or 0
    held = Upload.objects.holding_bytes().filter(tenant=tenant).aggregate(total=Sum("bytes"))["total"] or 0
    return int(stored + held)


def reserve(*, tenant: Tenant, size: int) -> None:
    """Make sure that `size` more bytes fit; raises QuotaExceeded.

    Call it in the transaction that writes the row: until its end, nobody else of the tenant can reserve.
    """
    # Without no_key, every other row that is written for the tenant would wait too.
    limit = Tenant.objects.select_for_update(no_key=True).get(id=tenant.id).max_storage_bytes
    used = used_bytes(tenant)
    if used + size > limit:
        raise QuotaExceeded(size=size, used=used, limit=limit)

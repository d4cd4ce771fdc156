"""Storage use of a tenant, always computed from the rows so that it cannot drift."""

from django.db.models import Max, Sum

from corpora.errors import QuotaExceeded
from corpora.models import DatasetVersion, Upload
from tenants.models import Tenant


def used_bytes(tenant: Tenant) -> int:
    """Bytes of the tenant's files and of the rows that their checks wrote.

    A shared file counts once, an unfinished upload with its announced size.
    """
    # Versions of one file with different options share its object.
    files = DatasetVersion.objects.filter(tenant=tenant).order_by().values("upload_key")
    stored = files.annotate(size=Max("upload_bytes")).aggregate(total=Sum("size"))["total"] or 0
    rows = DatasetVersion.objects.filter(tenant=tenant).aggregate(total=Sum("rows_bytes"))["total"] or 0
    held = Upload.objects.holding_bytes().filter(tenant=tenant).aggregate(total=Sum("bytes"))["total"] or 0
    return int(stored + rows + held)


def reserve(*, tenant: Tenant, size: int) -> None:
    """Check that `size` more bytes fit into the tenant's storage. Raises QuotaExceeded.

    Call it in the transaction that writes the row. Other reservations of the tenant wait until that transaction ends.
    """
    # Without no_key, every other insert for the tenant would wait too.
    limit = Tenant.objects.select_for_update(no_key=True).get(id=tenant.id).max_storage_bytes
    used = used_bytes(tenant)
    if used + size > limit:
        raise QuotaExceeded(size=size, used=used, limit=limit)


def room_bytes(tenant: Tenant) -> int:
    """Bytes that the tenant may still store."""
    return max(0, tenant.max_storage_bytes - used_bytes(tenant))

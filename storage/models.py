"""Objects to be removed from storage."""

from django.db import models

from tenants.models import TenantModel


class ObjectRemoval(TenantModel):
    """An object to be removed from storage, because no row refers to it any more, or not yet."""

    key = models.CharField(max_length=300, unique=True)
    due_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "tenants_objectremoval"

    def __str__(self) -> str:
        return self.key

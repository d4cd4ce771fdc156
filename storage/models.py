"""Objects that are to be removed from storage."""

from django.db import models

from tenants.models import TenantModel


class ObjectRemoval(TenantModel):
    """An object in storage that is to be removed: no row names it any more, or none does yet."""

    key = models.CharField(max_length=300, unique=True)
    due_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "tenants_objectremoval"

    def __str__(self) -> str:
        return self.key

"""Row-level security for tenant tables, as a migration operation.

`IsolateTenant("Job")` after the table's CreateModel: forces row-level security, adds the policy, a unique
`(tenant_id, id)` for others to refer to, and for each TenantForeignKey a composite `(tenant_id, x_id)` constraint, so
that a row can never point at another tenant's row.
"""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from tenants.scope import active_tenant_id


class OwnerKey(models.ForeignKey[Any, Any]):
    """The tenant that a row belongs to; defaults to the active tenant.

    It has no index of its own, because every table has a longer one that begins with the tenant.
    """

    def __init__(self, to: Any, on_delete: Any, **kwargs: Any) -> None:
        kwargs.setdefault("editable", False)
        kwargs["db_index"] = False
        super().__init__(to, on_delete, **kwargs)

    def get_default(self) -> UUID:
        return active_tenant_id()


class TenantForeignKey(models.ForeignKey[Any, Any]):
    """A foreign key between two tables of tenants' rows; IsolateTenant creates its constraint."""

    def __init__(self, to: Any, on_delete: Any, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        super().__init__(to, on_delete, **kwargs)


class TenantOneToOneField(models.OneToOneField[Any, Any]):
    """A TenantForeignKey that is unique."""

    def __init__(self, to: Any, on_delete: Any, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        super().__init__(to, on_delete, **kwargs)


class IsolateTenant(Operation):
    """Isolate the rows of `model_name` by tenant. `tenant_column` is `id` only for the tenant table itself."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, model_name: str, tenant_column: str = "tenant_id") -> None:
        self.model_name = model_name
        self.tenant_column = tenant_column

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        pass

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        table, column = model._meta.db_table, self.tenant_column
        schema_editor.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
        schema_editor.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
        schema_editor.execute(
            f'CREATE POLICY tenant_isolation ON "{table}" USING ('
            f"\"{column}\" = (SELECT NULLIF(current_setting('portal.tenant', true), '')::uuid)"
            " OR (SELECT current_setting('portal.system', true)) = 'on')"
        )
        if column == "id" or not _has_id(model):
            return
        schema_editor.execute(f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_tenant_uniq" UNIQUE (tenant_id, id)')
        for field in _tenant_keys(model):
            schema_editor.execute(_add_constraint(table, field))

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        table = model._meta.db_table
        if self.tenant_column != "id" and _has_id(model):
            for field in _tenant_keys(model):
                schema_editor.execute(_drop_constraint(table, field))
            schema_editor.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{table}_tenant_uniq"')
        schema_editor.execute(f'DROP POLICY tenant_isolation ON "{table}"')
        schema_editor.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
        schema_editor.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')

    def describe(self) -> str:
        return f"Isolate the rows of {self.model_name} by tenant"


class ReleaseTenant(IsolateTenant):
    """Undo IsolateTenant before the table of `model_name` is deleted, and isolate it again on the way back."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        super().database_backwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        super().database_forwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        return f"Release the rows of {self.model_name}"


class IsolateKey(Operation):
    """Create the constraint of a TenantForeignKey that was added to an existing table."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, model_name: str, field_name: str) -> None:
        self.model_name = model_name
        self.field_name = field_name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        pass

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        meta = to_state.apps.get_model(app_label, self.model_name)._meta
        schema_editor.execute(_add_constraint(meta.db_table, meta.get_field(self.field_name)))

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        meta = from_state.apps.get_model(app_label, self.model_name)._meta
        schema_editor.execute(_drop_constraint(meta.db_table, meta.get_field(self.field_name)))

    def describe(self) -> str:
        return f"Isolate {self.field_name} of {self.model_name} by tenant"


def _tenant_keys(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    return [f for f in model._meta.local_fields if isinstance(f, (TenantForeignKey, TenantOneToOneField))]


def _has_id(model: type[models.Model]) -> bool:
    return any(field.name == "id" for field in model._meta.local_fields)


def _constraint(table: str, field: models.Field[Any, Any]) -> str:
    return f"{table}_{field.column}_tenant_fk"[:63]


def _add_constraint(table: str, field: Any) -> str:
    target = cast(type[models.Model], field.related_model)._meta.db_table
    return (
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{_constraint(table, field)}" '
        f'FOREIGN KEY (tenant_id, "{field.column}") REFERENCES "{target}" (tenant_id, id) '
        "DEFERRABLE INITIALLY DEFERRED"
    )


def _drop_constraint(table: str, field: Any) -> str:
    return f'ALTER TABLE "{table}" DROP CONSTRAINT "{_constraint(table, field)}"'

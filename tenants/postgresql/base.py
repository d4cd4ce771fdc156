"""A PostgreSQL backend that passes the active tenant to the database inside every transaction.

The settings are transaction-local (`SET LOCAL`), so a pooled connection can never carry one request's tenant into the
next. A query outside a transaction gets its own transaction.
"""

from typing import Any

from django.db import transaction
from django.db.backends.postgresql import base

from tenants.scope import database_settings


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's PostgreSQL backend plus the active tenant."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bound_scope: tuple[str, str] | None = None
        self.execute_wrappers.append(_bind_scope)

    def bind_scope(self, settings: tuple[str, str]) -> None:
        """Pass `settings` to the current transaction."""
        if self.bound_scope != settings:
            with self.wrap_database_errors, self.connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('portal.tenant', %s, true), set_config('portal.system', %s, true)", settings
                )
            self.bound_scope = settings

    # PostgreSQL drops transaction-local settings at each of these points, so they are passed again.
    def _commit(self) -> None:
        self.bound_scope = None
        super()._commit()  # type: ignore[misc]

    def _rollback(self) -> None:
        self.bound_scope = None
        super()._rollback()  # type: ignore[misc]

    def _savepoint_rollback(self, sid: str) -> None:
        # This bypasses the execute wrappers, because an aborted transaction accepts no other statement.
        with self.wrap_database_errors, self.connection.cursor() as cursor:
            cursor.execute(self.ops.savepoint_rollback_sql(sid))
        self.bound_scope = None

    def close(self) -> None:
        self.bound_scope = None
        super().close()


def _bind_scope(execute: Any, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    connection: DatabaseWrapper = context["connection"]
    settings = database_settings()
    if connection.in_atomic_block or not connection.get_autocommit():
        connection.bind_scope(settings)
        return execute(sql, params, many, context)
    with transaction.atomic(using=connection.alias):
        connection.bind_scope(settings)
        return execute(sql, params, many, context)

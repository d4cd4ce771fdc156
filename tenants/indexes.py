"""Migration operations for tables in use: add an index, and drop those that a longer one makes needless.

A migration with one of them must have `atomic = False`. Tables stay readable and writable meanwhile.
"""

from collections.abc import Iterator, Mapping

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.operations.models import AddIndex
from django.db.migrations.state import ProjectState

INDEXES_OF_COLUMN = """
    SELECT i.indexrelid::regclass::text
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = %s::regclass AND i.indnatts = 1 AND NOT i.indisunique AND i.indpred IS NULL AND a.attname = %s
"""


class AddIndexInUse(AddIndex):
    """Add an index. One that an interrupted migration left half built is built anew."""

    atomic = False

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        self._drop(schema_editor)
        _execute(schema_editor, str(self.index.create_sql(model, schema_editor, concurrently=True)))

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._drop(schema_editor)

    def _drop(self, schema_editor: BaseDatabaseSchemaEditor) -> None:
        _execute(schema_editor, f'DROP INDEX CONCURRENTLY IF EXISTS "{self.index.name}"')


class DropColumnIndexes(Operation):
    """Drop the plain indexes on one column alone, by table. A table without one is passed over, so it may run again."""

    reduces_to_sql = False
    reversible = True

    def __init__(self, columns: Mapping[str, str]) -> None:
        self.columns = columns

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        pass

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        for table, column in self.columns.items():
            for index in list(self._indexes(schema_editor, table, column)):
                _execute(schema_editor, f"DROP INDEX CONCURRENTLY {index}")

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        for table, column in self.columns.items():
            if not list(self._indexes(schema_editor, table, column)):
                _execute(schema_editor, f'CREATE INDEX CONCURRENTLY "{table}_{column}" ON "{table}" ("{column}")')

    def describe(self) -> str:
        return f"Drop the indexes on one column of {', '.join(self.columns)}"

    def _indexes(self, schema_editor: BaseDatabaseSchemaEditor, table: str, column: str) -> Iterator[str]:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(INDEXES_OF_COLUMN, [table, column])
            yield from (name for (name,) in cursor.fetchall())


def _execute(schema_editor: BaseDatabaseSchemaEditor, statement: str) -> None:
    # Past the wrapper of `tenants.postgresql`, which gives every statement a transaction: this one takes none.
    schema_editor.connection.ensure_connection()
    schema_editor.connection.connection.execute(statement)

"""No index is a prefix of another: it would cost every write and serve no read that the longer one does not."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection

pytestmark = pytest.mark.django_db

INDEXES = """
    SELECT c.relname, t.relname, i.indisunique, coalesce(pg_get_expr(i.indpred, i.indrelid), ''),
        array_agg(coalesce(a.attname, '?') || ' ' || o.opcname ORDER BY n)
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_class t ON t.oid = i.indrelid
    JOIN pg_am m ON m.oid = c.relam AND m.amname = 'btree'
    CROSS JOIN generate_series(0, i.indnkeyatts - 1) n
    JOIN pg_opclass o ON o.oid = i.indclass[n]
    LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n] AND a.attnum > 0
    WHERE t.relname = ANY(%s)
    GROUP BY 1, 2, 3, 4
"""


@dataclass(frozen=True)
class Index:
    name: str
    table: str
    is_unique: bool
    condition: str
    columns: list[str]


def indexes() -> list[Index]:
    ours = [config for config in apps.get_app_configs() if Path(config.path).parent == settings.BASE_DIR]
    own = {model._meta.db_table for config in ours for model in config.get_models()}
    with connection.cursor() as cursor:
        cursor.execute(INDEXES, [sorted(own)])
        return [Index(*row) for row in cursor.fetchall()]


def test_no_index_is_a_prefix_of_another() -> None:
    found = indexes()
    needless = {
        f"{short.name} by {long.name}"
        for short in found
        # A unique one is there to refuse, not only to find.
        if not short.is_unique
        for long in found
        if (short.table, short.condition) == (long.table, long.condition)
        and short.name != long.name
        and long.columns[: len(short.columns)] == short.columns
    }
    assert not needless

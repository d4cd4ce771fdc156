"""Latency sketches from JSON to bins, and days and totals from the hours.

JSON was [[value, count], ...] with a value of each bin; a bin is now a key and a count (`metering.ledger.sketches`, whose
numbers are repeated here, since a migration outlives what it was written beside).
"""

import json
import math
import struct
from collections import Counter, defaultdict
from functools import partial
from itertools import groupby

from django.db import migrations

from tenants.scope import system_scope

COLLECTOR_LOCK = 7_203_115
LOG_GAMMA = math.log(1.01 / 0.99)
SMALLEST = 1e-6
ZERO = math.floor(math.log(SMALLEST) / LOG_GAMMA) - 1
BIN = struct.Struct("<hI")
COUNTED = ("requests", "errors", "prompt_tokens", "completion_tokens", "busy_ms")


def fill(apps, schema_editor):
    hourly, daily, total = (apps.get_model("metering", name) for name in ("HourlyUsage", "DailyUsage", "HourlyTotal"))
    with system_scope():
        _hold_collector(schema_editor)
        rows = hourly.objects.order_by("tenant_id", "hour").iterator(chunk_size=2_000)
        for (tenant_id, day), of_day in groupby(rows, lambda row: (row.tenant_id, row.hour.date())):
            days = defaultdict(partial(daily, tenant_id=tenant_id, day=day))
            totals = defaultdict(partial(total, tenant_id=tenant_id))
            sketches, written = defaultdict(Counter), []
            for row in of_day:
                counts = _from_json(row.latency_sketch)
                written.append((_bytes(counts), row.id))
                line = days[row.alias, row.version_key]
                line.alias, line.version_key = row.alias, row.version_key
                totals[row.hour].hour = row.hour
                for sums in (line, totals[row.hour]):
                    sketches[id(sums)].update(counts)
                    for name in COUNTED:
                        setattr(sums, name, getattr(sums, name) + getattr(row, name))
            for sums in (*days.values(), *totals.values()):
                sums.latency_sketch = _bytes(sketches[id(sums)])
            _write(schema_editor, written)
            daily.objects.bulk_create(days.values())
            total.objects.bulk_create(totals.values())


def empty(apps, schema_editor):
    hourly = apps.get_model("metering", "HourlyUsage")
    with system_scope():
        _hold_collector(schema_editor)
        rows = hourly.objects.iterator(chunk_size=2_000)
        for _, some in groupby(enumerate(rows), lambda numbered: numbered[0] // 2_000):
            _write(schema_editor, [(_to_json(row.latency_sketch), row.id) for _, row in some])
        for name in ("DailyUsage", "HourlyTotal"):
            apps.get_model("metering", name).objects.all().delete()


def _hold_collector(schema_editor):
    """Until the end of the transaction: a running collector would add to what is being read."""
    schema_editor.connection.cursor().execute("SELECT pg_advisory_xact_lock(%s)", [COLLECTOR_LOCK])


def _write(schema_editor, rows):
    with schema_editor.connection.cursor() as cursor:
        cursor.executemany("UPDATE metering_hourlyusage SET latency_sketch = %s WHERE id = %s", rows)


def _from_json(data):
    counts = Counter()
    for value, count in json.loads(bytes(data)):
        counts[ZERO if value < SMALLEST else math.ceil(math.log(value) / LOG_GAMMA)] += round(count)
    return counts


def _to_json(data):
    bins = [
        [0.0 if key == ZERO else math.exp(LOG_GAMMA * key) * 0.99, float(count)]
        for key, count in BIN.iter_unpack(bytes(data))
    ]
    return json.dumps(bins, separators=(",", ":")).encode()


def _bytes(counts):
    return b"".join(BIN.pack(key, count) for key, count in sorted(counts.items()))


class Migration(migrations.Migration):
    dependencies = [
        ("metering", "0002_daily_usage_and_hourly_totals"),
    ]

    operations = [
        migrations.RunPython(fill, empty),
    ]

"""A site that is updated gets the roll-ups which its invocations would have made."""

import importlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection

from lorakit.contracts import InvocationRecord
from metering.ledger.collector import collect
from metering.models import HourlyUsage, UsageTotal
from tenants.scope import system_scope
from tests.metering.ledger.test_collector import random_records, stored_rows


@pytest.mark.django_db
def test_the_roll_ups_are_those_of_the_collector(
    record: Callable[..., InvocationRecord], write: Callable[..., Path], folder: Path
) -> None:
    write(*random_records(record, random.Random(11), 150), record(latency_ms=0.0, first_token_ms=0.0))
    collect(folder)
    collected = stored_rows()
    with system_scope():
        HourlyUsage.objects.all().delete()
        UsageTotal.objects.all().delete()
    with connection.schema_editor() as editor:
        importlib.import_module("metering.migrations.0008_fill_usage_by_dimension").fill(apps, editor)
    assert stored_rows() == collected

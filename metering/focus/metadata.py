"""What FOCUS wants to be known about a file beside it: its schema, and how recent each of its days or hours is.

Source: https://focus.finops.org/focus-specification/v1-3/, Metadata.
"""

import datetime as dt
import hashlib
from typing import Any

import msgspec
from django.utils import timezone

from metering.focus.charges import SITE, TAGS, billing_account
from metering.focus.columns import COLUMNS, DEPRECATED, SCHEMA_CREATED, VERSION, Column, Type
from metering.focus.export import Format
from metering.focus.files import PRECISION, SCALE
from metering.focus.periods import Month
from metering.models import ClosedMonth
from tenants.models import Tenant

DATASET = "CostAndUsage"


def focus_metadata(month: Month, *, only: Tenant | None, file_type: Format = "csv") -> bytes:
    """The metadata of a month's file as JSON.

    A day or hour is complete as soon as its month is closed: nothing of it changes any more. Until then it is as recent
    as the file, which is made when it is asked for.
    """
    now = timezone.now()
    instance = f"{billing_account()}/{only.slug if only else 'all'}/{month.grain.value}"
    found = {
        "DataGenerator": {"DataGenerator": SITE},
        "DatasetInstance": [
            {
                "DatasetInstanceId": instance,
                "DatasetInstanceName": f"Costs of {only.name if only else 'all organisations'} by {month.grain.value}",
                "FocusDatasetId": DATASET,
            }
        ],
        "Schema": [{"DatasetInstanceId": instance, **_schema(file_type)}],
        "Recency": [
            {
                "DatasetInstanceId": instance,
                "RecencyLastUpdated": _text(now),
                "TimeSectors": _sectors(month, now),
            }
        ],
    }
    return msgspec.json.format(msgspec.json.encode(found), indent=2)


def schema_id(file_type: Format) -> str:
    """Another one as soon as a column changes."""
    digest = hashlib.sha256(msgspec.json.encode(_definitions(file_type))).hexdigest()
    return f"focus-{VERSION}-{file_type}-{digest[:12]}"


def _schema(file_type: Format) -> dict[str, Any]:
    return {
        "SchemaId": schema_id(file_type),
        "FocusVersion": VERSION,
        "CreationDate": SCHEMA_CREATED,
        "ColumnDefinition": _definitions(file_type),
    }


def _definitions(file_type: Format) -> list[dict[str, Any]]:
    return [_definition(column, file_type) for column in COLUMNS]


def _definition(column: Column, file_type: Format) -> dict[str, Any]:
    found: dict[str, Any] = {"ColumnName": column.name, "DataType": column.type.value}
    if column.type == Type.DECIMAL and file_type == "parquet":
        found |= {"NumericPrecision": PRECISION, "NumberScale": SCALE}
    if column.type in (Type.STRING, Type.JSON):
        found["StringEncoding"] = "UTF-8"
    if column.name in DEPRECATED:
        found["Deprecated"] = True
    if column.name == "Tags":
        found["ProviderTagPrefixes"] = [TAGS]
    return found


def _sectors(month: Month, now: dt.datetime) -> list[dict[str, Any]]:
    closed = ClosedMonth.objects.filter(month=month.start.date()).first()
    updated = _text(closed.closed_at if closed else now)
    return [
        {
            "TimeSectorStart": _text(start),
            "TimeSectorEnd": _text(end),
            "TimeSectorComplete": closed is not None,
            "TimeSectorLastUpdated": updated,
        }
        for start, end in month.periods()
        if start <= now
    ]


def _text(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"

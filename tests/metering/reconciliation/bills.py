"""Bills by the columns that AWS publishes, in each of its layouts."""

import csv
import datetime as dt
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ENDPOINT = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/prod-eu"
HOST, TRAIN = "EUW1-Host:ml.g5.2xlarge", "EUW1-Train:ml.g6e.xlarge"
Line = Mapping[str, Any]
CUR = {
    "identity_line_item_id": "id",
    "bill_payer_account_id": "account",
    "bill_billing_period_start_date": "month",
    "line_item_usage_start_date": "start",
    "line_item_usage_end_date": "end",
    "line_item_product_code": "service",
    "line_item_usage_type": "usage_type",
    "line_item_line_item_type": "line_type",
    "line_item_usage_amount": "quantity",
    "line_item_unblended_cost": "listed",
    "line_item_net_unblended_cost": "net",
    "line_item_currency_code": "currency",
    "line_item_resource_id": "resource",
    "pricing_unit": "unit",
    "savings_plan_savings_plan_effective_cost": "commitment",
}
LEGACY = {
    "identity/LineItemId": "id",
    "bill/PayerAccountId": "account",
    "bill/BillingPeriodStartDate": "month",
    "lineItem/UsageStartDate": "start",
    "lineItem/UsageEndDate": "end",
    "lineItem/ProductCode": "service",
    "lineItem/UsageType": "usage_type",
    "lineItem/LineItemType": "line_type",
    "lineItem/UsageAmount": "quantity",
    "lineItem/UnblendedCost": "listed",
    "lineItem/NetUnblendedCost": "net",
    "lineItem/CurrencyCode": "currency",
    "lineItem/ResourceId": "resource",
    "pricing/unit": "unit",
    "product/region": "region",
    "savingsPlan/SavingsPlanEffectiveCost": "commitment",
}
FOCUS = {
    "BilledCost": "net",
    "BillingAccountId": "account",
    "BillingCurrency": "currency",
    "BillingPeriodStart": "month",
    "ChargeCategory": "category",
    "ChargePeriodEnd": "end",
    "ChargePeriodStart": "start",
    "ConsumedQuantity": "quantity",
    "ConsumedUnit": "unit",
    "ContractedCost": "listed",
    "EffectiveCost": "net",
    "RegionId": "region",
    "ResourceId": "resource",
    "ServiceName": "focus_service",
    "x_ServiceCode": "service",
    "x_UsageType": "usage_type",
}


def line(start: str = "2026-10-05T00", **changes: Any) -> dict[str, Any]:
    """An hour of the endpoint at list price, which is 1.5 dollars."""
    begin = dt.datetime.fromisoformat(f"{start}:00:00+00:00")
    plain = {
        "id": "x", "account": "123456789012", "month": f"{begin:%Y-%m}-01T00:00:00.000Z",
        "start": f"{begin:%Y-%m-%dT%H:%M:%SZ}", "end": f"{begin + dt.timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
        "service": "AmazonSageMaker", "focus_service": "Amazon SageMaker", "usage_type": HOST, "line_type": "Usage",
        "category": "Usage", "quantity": "1", "listed": "1.5", "net": "1.5", "currency": "USD", "resource": ENDPOINT,
        "unit": "Hrs", "region": "eu-west-1", "commitment": "",
    }  # fmt: skip
    return {**plain, **changes}


def ec2(**changes: Any) -> dict[str, Any]:
    """Something else on the bill."""
    return line(service="AmazonEC2", focus_service="Amazon EC2", resource="i-0123", usage_type="BoxUsage", **changes)


def csv_of(columns: Mapping[str, str], lines: Sequence[Line], *, maps: bool = False) -> bytes:
    """CUR 2.0 has a product as a map: JSON in CSV."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*columns, *(["product", "resource_tags"] if maps else [])])
    for one in lines:
        more = [json.dumps({"region": one["region"], "instance": "g5"}), json.dumps({"user:team": "x"})] if maps else []
        writer.writerow([*(one[name] for name in columns.values()), *more])
    return text.getvalue().encode()


def gz(data: bytes) -> bytes:
    return gzip.compress(data)


def parquet_of(columns: Mapping[str, str], lines: Sequence[Line], *, maps: bool = False) -> bytes:
    """With the types that AWS says: doubles, times, and maps of texts."""
    table: dict[str, Any] = {}
    for column, name in columns.items():
        values = [one[name] for one in lines]
        if name in ("quantity", "listed", "net", "commitment"):
            table[column] = pa.array([float(value) if value else None for value in values], pa.float64())
        elif name in ("month", "start", "end"):
            table[column] = pa.array([dt.datetime.fromisoformat(value) for value in values], pa.timestamp("ms", "UTC"))
        else:
            table[column] = pa.array(values, pa.string())
    if maps:
        regions = [[("region", one["region"]), ("instance", "g5")] for one in lines]
        table["product"] = pa.array(regions, pa.map_(pa.string(), pa.string()))
    file = io.BytesIO()
    pq.write_table(pa.table(table), file)
    return file.getvalue()


LAYOUTS = {
    "cur2.csv.gz": lambda lines: gz(csv_of(CUR, lines, maps=True)),
    "cur2.parquet": lambda lines: parquet_of(CUR, lines, maps=True),
    "cur.csv": lambda lines: csv_of(LEGACY, lines),
    "focus.csv": lambda lines: csv_of(FOCUS, lines),
    "focus.parquet": lambda lines: parquet_of(FOCUS, lines),
}

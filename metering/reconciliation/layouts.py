"""Which columns of a file say what.

AWS publishes them: https://docs.aws.amazon.com/cur/latest/userguide/dataexports-table-dictionary.html. The older
report names its columns as in lineItem/UsageType, where CUR 2.0 and Parquet have line_item_usage_type.
"""

import re
from collections.abc import Mapping, Sequence

from metering.models import BillLayout
from metering.reconciliation.errors import WrongBill
from metering.reconciliation.files import Chosen

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

CUR: Mapping[str, tuple[str, ...]] = {
    "account": ("bill_payer_account_id",),
    "month": ("bill_billing_period_start_date",),
    "start": ("line_item_usage_start_date",),
    "end": ("line_item_usage_end_date",),
    "usage_type": ("line_item_usage_type",),
    "line_type": ("line_item_line_item_type",),
    "quantity": ("line_item_usage_amount",),
    "listed_cost": ("line_item_unblended_cost",),
    "currency": ("line_item_currency_code",),
    "resource": ("line_item_resource_id",),
    "net_cost": ("line_item_net_unblended_cost",),
    "unit": ("pricing_unit",),
    "region": ("product_region_code", "product_region", "product"),
    "commitment_cost": (
        "savings_plan_net_savings_plan_effective_cost", "savings_plan_savings_plan_effective_cost",
    ),
}  # fmt: skip
FOCUS: Mapping[str, tuple[str, ...]] = {
    "account": ("BillingAccountId",),
    "month": ("BillingPeriodStart",),
    "start": ("ChargePeriodStart",),
    "end": ("ChargePeriodEnd",),
    "usage_type": ("x_UsageType", "SkuMeter"),
    "line_type": ("ChargeCategory",),
    "quantity": ("ConsumedQuantity", "PricingQuantity"),
    "listed_cost": ("ContractedCost", "BilledCost"),
    "currency": ("BillingCurrency",),
    "resource": ("ResourceId",),
    "net_cost": ("EffectiveCost",),
    "unit": ("ConsumedUnit", "PricingUnit"),
    "region": ("RegionId",),
}
OPTIONAL = {"net_cost", "unit", "region", "commitment_cost"}
SERVICES = ("line_item_product_code", "x_ServiceCode", "ServiceName")


def layout_of(names: Sequence[str]) -> BillLayout:
    """What a file is by its columns. Raises WrongBill."""
    plain = {plain_name(name) for name in names}
    if "line_item_usage_type" in plain:
        return BillLayout.CUR
    if "ChargePeriodStart" in plain:
        return BillLayout.FOCUS
    text = "These are not the columns of an AWS Cost and Usage Report or of a FOCUS export. Choose the file itself, "
    raise WrongBill(f"{text}not its manifest.")


def chosen(names: Sequence[str]) -> Chosen:
    """The columns that matter. Raises WrongBill where one is missing."""
    own = {plain_name(name): name for name in names}
    wanted = CUR if layout_of(names) == BillLayout.CUR else FOCUS
    columns = {}
    for name, candidates in wanted.items():
        found = next((own[one] for one in candidates if one in own), None)
        if found is not None:
            columns[name] = found
        elif name not in OPTIONAL:
            hint = " Include resource IDs in the export." if name == "resource" else ""
            raise WrongBill(f"Column {candidates[0]} is missing.{hint}")
    service = next((own[one] for one in SERVICES if one in own), None)
    if service is None:
        raise WrongBill(f"Column {SERVICES[0]} is missing.")
    return Chosen(columns, service)


def plain_name(name: str) -> str:
    """As in line_item_usage_type for lineItem/UsageType; others as they are."""
    if "/" not in name:
        return name
    return "_".join(_WORD.sub("_", part).lower() for part in name.split("/", 1))

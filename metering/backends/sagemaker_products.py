"""Which entries of AWS's price list are hours of an instance type of SageMaker.

Hosting and training of one instance type are different products with different prices.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from metering.backends.catalogues import Catalogue
from metering.backends.price_lists import Wanted

USAGE = {"hosting": "Host", "training": "Train"}
"""What the usage type says before the instance type, as in EUW1-Host:ml.g5.2xlarge."""
HOURS = frozenset({"hrs", "hr", "hours", "hour"})


def _is_price_of(attributes: Mapping[str, Any], wanted: Wanted) -> bool:
    usage = re.compile(rf"(.+-)?{USAGE[wanted.service]}:{re.escape(wanted.item)}")
    return usage.fullmatch(str(attributes.get("usagetype"))) is not None and (
        wanted.service != "training" or attributes.get("component") == "Training"
    )


def _per_hour(amount: Decimal, unit: str) -> Decimal | None:
    return amount if unit.lower() in HOURS else None


SAGEMAKER = Catalogue(
    service_code="AmazonSageMaker",
    search=lambda wanted: ("instanceName", wanted.item),
    is_price_of=_is_price_of,
    per_unit=_per_hour,
)

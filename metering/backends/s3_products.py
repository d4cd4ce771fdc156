"""Which entries of AWS's price list are GB-months of a storage class of S3.

Storage becomes cheaper by the total of an account, which nobody here knows: the first tier counts. Classes whose price
depends on when an object was last read (INTELLIGENT_TIERING) have no single price and are not found.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from metering.backends.catalogues import Catalogue
from metering.backends.price_lists import Wanted

USAGE = {
    "STANDARD": "TimedStorage-ByteHrs",
    "STANDARD_IA": "TimedStorage-SIA-ByteHrs",
    "ONEZONE_IA": "TimedStorage-ZIA-ByteHrs",
    "GLACIER_IR": "TimedStorage-GIR-ByteHrs",
    "GLACIER": "TimedStorage-GlacierByteHrs",
    "DEEP_ARCHIVE": "TimedStorage-GDA-ByteHrs",
}
"""The usage type of each class, behind the region's code (EUW1-) or nothing."""
REGION = "(?:[A-Z0-9]+-)?"


def _is_price_of(attributes: Mapping[str, Any], wanted: Wanted) -> bool:
    usage = USAGE.get(wanted.item)
    return usage is not None and re.fullmatch(f"{REGION}{usage}", str(attributes.get("usagetype"))) is not None


def _per_gb_month(amount: Decimal, unit: str) -> Decimal | None:
    """AWS's GB is 2^30 bytes, as ours."""
    return amount if unit == "GB-Mo" else None


S3 = Catalogue(
    service_code="AmazonS3",
    search=lambda wanted: ("productFamily", "Storage"),
    is_price_of=_is_price_of,
    per_unit=_per_gb_month,
    first_tier=True,
)

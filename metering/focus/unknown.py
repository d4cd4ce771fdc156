"""What has no price, and so no charge: FOCUS knows no unknown cost, and 0 would mean that it is free."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from metering.focus.charges import Organisation, plain

COLUMNS = (
    "ChargePeriodStart", "ChargePeriodEnd", "x_OrganisationId", "x_OrganisationName", "ServiceName", "ResourceId",
    "ConsumedQuantity", "ConsumedUnit", "x_Reason",
)  # fmt: skip

NO_PRICE = "No price was set"
NOT_SHARED = "The hour’s cost has not been shared yet, or its price is not known"


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """Something used in a day or an hour whose cost is not known, and why."""

    start: dt.datetime
    end: dt.datetime
    organisation: Organisation | None
    service: str
    resource_id: str | None
    quantity: Decimal
    unit: str
    reason: str

    def row(self) -> dict[str, Any]:
        """By column, as text."""
        owner = self.organisation
        return {
            "ChargePeriodStart": f"{self.start:%Y-%m-%dT%H:%M:%SZ}",
            "ChargePeriodEnd": f"{self.end:%Y-%m-%dT%H:%M:%SZ}",
            "x_OrganisationId": str(owner.id) if owner else "",
            "x_OrganisationName": owner.name if owner else "",
            "ServiceName": self.service,
            "ResourceId": self.resource_id or "",
            "ConsumedQuantity": plain(self.quantity),
            "ConsumedUnit": self.unit,
            "x_Reason": self.reason,
        }

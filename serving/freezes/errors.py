"""The refusal of a promotion while promotions are frozen."""

from rest.errors import Conflict
from serving.freezes.texts import frozen_text
from serving.models import FreezeWindow


class Frozen(Conflict):
    """Names reason and end; `extra` has them as `reason` and `ends_at`."""

    code = "promotion:frozen"

    def __init__(self, freeze: FreezeWindow) -> None:
        super().__init__(
            f"{frozen_text(freeze)} You can still roll back.", ends_at=freeze.ends_at.isoformat(), reason=freeze.reason
        )

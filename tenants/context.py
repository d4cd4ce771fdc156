"""What templates know of the signed-in member."""

from typing import Any

from django.http import HttpRequest

from tenants.models import Membership
from tenants.permissions import Action


def permissions(request: HttpRequest) -> dict[str, Any]:
    """Template context: `can.datasets_edit` and so on, one for each action."""
    membership: Membership | None = getattr(request, "membership", None)
    can = {action.name.lower(): membership is not None and membership.may(action) for action in Action}
    return {"can": can}

"""What a base model may be called."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug

from rest.errors import PortalError


def check_name(name: str) -> None:
    """Raise PortalError for a name that callers can't send, and that is no folder's."""
    try:
        validate_slug(name)
    except ValidationError:
        text = "A name has letters, digits, hyphens and underscores only. It is what callers send as `model`."
        raise PortalError(text, code="base_model:bad_name", field="name") from None

"""What can be wrong with handling an alert."""

from rest.errors import PortalError


class WrongValue(PortalError):
    """A note that is too long, or a time that is over; `field` says which."""

    code = "alert:wrong_value"

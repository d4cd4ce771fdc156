"""What can be wrong with a bill."""

from rest.errors import PortalError


class WrongBill(PortalError):
    """The file cannot be imported; nothing of it was."""

    code = "bill:wrong_file"

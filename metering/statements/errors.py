"""What can be wrong with a statement, or with what is added to it."""

from rest.errors import PortalError


class WrongAdjustment(PortalError):
    """It cannot be added so; `field` says which value is wrong."""

    code = "statement:wrong_adjustment"

"""What can be wrong with a price, a discount or an exchange rate."""

from rest.errors import PortalError


class WrongPrice(PortalError):
    """It cannot be recorded so; `field` says which value is wrong."""

    code = "price:wrong_value"

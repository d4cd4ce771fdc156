"""What can be wrong with a budget."""

from rest.errors import Conflict, PortalError


class WrongBudget(PortalError):
    """It cannot be set so; `field` says which value is wrong."""

    code = "budget:wrong_value"


class BudgetExists(Conflict):
    """There is one of the same already."""

    code = "budget:exists"

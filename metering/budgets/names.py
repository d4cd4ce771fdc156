"""What a budget is for, in words."""

from metering.models import Budget, By
from metering.usage.names import names_of


def name_of(budget: Budget) -> str:
    """`everything`, the model, or the API key by its name."""
    if budget.by == By.ALL:
        return "everything"
    label = names_of(By(budget.by), [budget.value])[0].label
    return f"the key {label}" if budget.by == By.KEY else label

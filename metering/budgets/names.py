"""What budgets are called, and what may have one."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from adapters.models import Adapter
from metering.budgets.counting import Subject
from metering.models import BudgetScope
from rest.errors import NotFound
from tenants.models import ApiKey

EVERYTHING = "Everything"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Something that may have a budget. `code` is how a form sends it."""

    subject: Subject
    label: str

    @property
    def code(self) -> str:
        return f"{self.subject.scope}:{self.subject.value}"


def labels_of(subjects: Iterable[Subject]) -> dict[Subject, str]:
    """What the active tenant's are called, also those that are gone."""
    wanted = list(subjects)
    keys = [subject.value for subject in wanted if subject.scope == BudgetScope.KEY]
    names = {str(key): name for key, name in ApiKey.objects.filter(id__in=keys).values_list("id", "name")}
    labels = {}
    for subject in wanted:
        if subject.scope == BudgetScope.KEY:
            labels[subject] = names.get(subject.value, "Deleted key")
        else:
            labels[subject] = subject.value or EVERYTHING
    return labels


def choices() -> list[Choice]:
    """Everything, the tenant's adapters, and its keys that still work."""
    adapters = Adapter.objects.order_by("name").values_list("name", flat=True)
    keys = ApiKey.objects.filter(revoked_at=None).order_by("name").values_list("id", "name")
    return [
        Choice(subject=Subject(BudgetScope.ALL.value), label=EVERYTHING),
        *(Choice(subject=Subject(BudgetScope.ADAPTER.value, name), label=f"Adapter {name}") for name in adapters),
        *(Choice(subject=Subject(BudgetScope.KEY.value, str(key)), label=f"API key {name}") for key, name in keys),
    ]


def subject_of(*, adapter: str | None = None, key: UUID | None = None) -> Subject:
    """What is named, or everything. Raises NotFound with `field`."""
    if key is not None:
        if not ApiKey.objects.filter(id=key).exists():
            raise NotFound("API key not found.", field="key")
        return Subject(BudgetScope.KEY.value, str(key))
    if adapter is not None:
        if not Adapter.objects.filter(name=adapter).exists():
            raise NotFound("Adapter not found.", field="adapter")
        return Subject(BudgetScope.ADAPTER.value, adapter)
    return Subject(BudgetScope.ALL.value)

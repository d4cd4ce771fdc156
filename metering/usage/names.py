"""What the parts of a breakdown are called."""

from collections.abc import Iterable
from dataclasses import dataclass

from adapters.models import AdapterVersion
from metering.models import By
from tenants.models import ApiKey


@dataclass(frozen=True, kw_only=True)
class Name:
    """A model, version, endpoint or key. `version_key` and `number` are those of a version that still exists."""

    by: By
    value: str
    label: str
    alias: str = ""
    version_key: str = ""
    number: int | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether these are requests for a model that does not exist."""
        return not self.value and self.by in (By.MODEL, By.VERSION)


def names_of(by: By, values: Iterable[str]) -> list[Name]:
    """Names of the active tenant's parts, in the same order."""
    wanted = list(values)
    if by == By.VERSION:
        numbers = _numbers(value.partition("/")[2] for value in wanted)
        return [_version(value, numbers) for value in wanted]
    labels = {}
    if by == By.KEY:
        labels = {
            str(key): name for key, name in ApiKey.objects.filter(id__in=filter(None, wanted)).values_list("id", "name")
        }
    return [
        Name(by=by, value=value, label=labels.get(value) or _label(by, value), alias=value if by == By.MODEL else "")
        for value in wanted
    ]


def _version(value: str, numbers: dict[str, int]) -> Name:
    alias, _, key = value.partition("/")
    number = numbers.get(key)
    if number is not None:
        label = f"{alias} v{number}"
    else:
        label = f"{alias} (deleted version)" if key else _label(By.VERSION, alias)
    return Name(by=By.VERSION, value=value, label=label, alias=alias, version_key=key, number=number)


def _numbers(keys: Iterable[str]) -> dict[str, int]:
    """The version numbers by version id."""
    rows = AdapterVersion.objects.filter(id__in={key for key in keys if key}).values_list("id", "number")
    return {str(version_id): number for version_id, number in rows}


def _label(by: By, value: str) -> str:
    if by in (By.MODEL, By.VERSION):
        return value or "Unknown models"
    if by == By.KEY:
        return "Deleted key" if value else "Playground"
    return value or "Unknown endpoint"

"""Backends by alias, like Django's STORAGES: the setting maps alias -> {BACKEND, OPTIONS}."""

from collections.abc import Iterator, Mapping
from typing import Any, Generic, Protocol, TypeVar

from django.conf import settings
from django.utils.module_loading import import_string


class Configurable(Protocol):
    """Built from its alias and its OPTIONS; raises ValueError for an option it does not know."""

    def __init__(self, alias: str, options: dict[str, Any]) -> None: ...


B = TypeVar("B", bound=Configurable)


class Aliases(Mapping[str, B], Generic[B]):
    """Builds each backend that the setting named `setting` lists once, in the order of the setting."""

    def __init__(self, setting: str) -> None:
        self.setting = setting
        self._built: dict[str, B] = {}

    def __getitem__(self, alias: str) -> B:
        if alias not in self._built:
            entry = getattr(settings, self.setting)[alias]
            backend_class: type[B] = import_string(entry["BACKEND"])
            self._built[alias] = backend_class(alias, dict(entry.get("OPTIONS", {})))
        return self._built[alias]

    def __iter__(self) -> Iterator[str]:
        return iter(getattr(settings, self.setting))

    def __len__(self) -> int:
        return len(getattr(settings, self.setting))


def merge_options(setting: str, alias: str, defaults: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """`options` over `defaults`; raises ValueError naming those that are not known."""
    unknown = sorted(set(options) - set(defaults))
    if unknown:
        raise ValueError(f"{setting}[{alias!r}] has unknown options: {', '.join(unknown)}")
    return {**defaults, **options}

"""What was made from dataset versions: higher floors register, this floor knows none of them.

In an `AppConfig.ready`: `register(adapter_uses)`, where `adapter_uses(version_ids)` returns the uses of each.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Use:
    """Something that was made from a dataset version; `kind` is what it is ("adapter version"), `url` its page.

    `adapter` is the name of the adapter it belongs to.
    """

    version_id: UUID
    kind: str
    title: str
    adapter: str
    url: str
    created_at: dt.datetime


UseSource = Callable[[Collection[UUID]], Iterable[Use]]

_sources: list[UseSource] = []


def register(source: UseSource) -> None:
    """Ask `source` whenever somebody wants to know what a version was used for."""
    if source not in _sources:
        _sources.append(source)


def uses_of(version_ids: Collection[UUID]) -> dict[UUID, list[Use]]:
    """The uses of each version, newest first; one query a source, however many versions."""
    found: dict[UUID, list[Use]] = defaultdict(list)
    for source in _sources:
        for use in source(version_ids):
            found[use.version_id].append(use)
    for uses in found.values():
        uses.sort(key=lambda use: use.created_at, reverse=True)
    return dict(found)

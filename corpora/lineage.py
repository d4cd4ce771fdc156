"""Uses of dataset versions, such as training runs and evaluations. Higher floors register sources of them.

Call `register(adapter_uses)` in an `AppConfig.ready`. `adapter_uses(version_ids)` returns the uses of those versions.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Use:
    """Something made from a dataset version.

    `kind` names its type ("adapter version"), `adapter` the adapter it belongs to, or the model of an evaluation
    without one, and `url` its page.
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
    """Add a source of uses. Registering a source twice has no effect."""
    if source not in _sources:
        _sources.append(source)


def uses_of(version_ids: Collection[UUID]) -> dict[UUID, list[Use]]:
    """The uses of each version by its id, newest first. Each source runs one query, however many versions there are."""
    found: dict[UUID, list[Use]] = defaultdict(list)
    for source in _sources:
        for use in source(version_ids):
            found[use.version_id].append(use)
    for uses in found.values():
        uses.sort(key=lambda use: use.created_at, reverse=True)
    return dict(found)

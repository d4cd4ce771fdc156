"""The kinds of events that webhooks may hear of. Each app registers its own when it is ready."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class EventKind:
    """`name` is `subject.what_happened`. `example` is the data of such an event, as its receiver reads it."""

    name: str
    title: str
    example: Mapping[str, Any]


TEST = EventKind(name="webhook.test", title="Test", example={"webhook": "0b8e8a3e-6f0c-4d57-8a7e-4f4f0f2f7b11"})
"""Sent when a person asks for it, to one webhook only."""

_kinds: dict[str, EventKind] = {}


def register_kinds(*kinds: EventKind) -> None:
    """Make kinds known. Called from `AppConfig.ready`; a second time changes nothing."""
    _kinds.update({kind.name: kind for kind in kinds})


def event_kinds() -> list[EventKind]:
    """All that may be chosen, by name."""
    return [_kinds[name] for name in sorted(_kinds)]


def is_kind(name: str) -> bool:
    """Whether a kind was registered."""
    return name in _kinds

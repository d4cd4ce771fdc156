"""Orders what waits so that no group waits behind the many of another."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

QUANTUM = 64
"""Tokens by which one group has to be ahead before another goes first, so that they do not change at every step."""


@dataclass
class Group(Generic[T]):
    """What one group waits for, the oldest first, and how many tokens it was served."""

    items: dict[T, None] = field(default_factory=dict)
    served: int = 0


class FairQueue(Generic[T]):
    """Items by group. A group that comes back begins level with the one that was served least."""

    def __init__(self) -> None:
        self._groups: dict[str, Group[T]] = {}
        self._group_of: dict[T, str] = {}

    def __len__(self) -> int:
        return len(self._group_of)

    def __contains__(self, item: T) -> bool:
        return item in self._group_of

    def add(self, group: str, item: T) -> None:
        """Put an item behind the others of its group."""
        if group not in self._groups:
            self._groups[group] = Group(served=min((other.served for other in self._groups.values()), default=0))
        self._groups[group].items[item] = None
        self._group_of[item] = group

    def remove(self, item: T) -> None:
        """Take an item out."""
        group = self._group_of.pop(item)
        del self._groups[group].items[item]
        if not self._groups[group].items:
            del self._groups[group]

    def serve(self, item: T, tokens: int) -> None:
        """Count tokens for the group of an item."""
        self._groups[self._group_of[item]].served += tokens

    def group_of(self, item: T) -> str:
        """The group of an item."""
        return self._group_of[item]

    def in_order(self) -> Iterator[T]:
        """One item of each group in turn, the group that was served least first. Nothing may change meanwhile."""
        groups = sorted(self._groups.values(), key=lambda group: group.served // QUANTUM)
        turns = deque(iter(group.items) for group in groups)
        while turns:
            try:
                yield next(turns[0])
                turns.rotate(-1)
            except StopIteration:
                turns.popleft()

    def __iter__(self) -> Iterator[T]:
        """All items, group by group."""
        return iter([*self._group_of])

"""What aliases must answer: a picture of promotions and rollbacks without jobs, rows or an endpoint."""

from dataclasses import dataclass, field
from uuid import UUID


@dataclass
class Alias:
    """Versions by their id: the one that answers, and the one that a rollback brings back."""

    live: UUID | None = None
    previous: UUID | None = None

    def switch(self, version: UUID) -> None:
        """`version` answers from now on; one that already does changes nothing."""
        if version != self.live:
            self.live, self.previous = version, self.live

    def roll_back(self) -> UUID | None:
        """The version that answers from now on, None if there is none to go back to."""
        if self.previous is not None:
            self.switch(self.previous)
        return self.live


@dataclass
class Aliases:
    """Every adapter's alias, by the adapter's id; `known` are the promotions that are in the picture."""

    of: dict[UUID, Alias]
    known: set[UUID] = field(default_factory=set)

    def promoted(self, promotion: UUID, adapter: UUID, version: UUID) -> None:
        """A promotion has ended well, which counts once."""
        if promotion not in self.known:
            self.known.add(promotion)
            self.of[adapter].switch(version)

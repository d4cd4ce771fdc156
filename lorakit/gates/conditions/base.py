"""The shape of every condition."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

from lorakit.gates.case import Case
from lorakit.gates.outcome import Outcome


@dataclass(frozen=True, kw_only=True)
class Condition(ABC):
    """One thing that a policy asks for. Its fields are its parameters."""

    kind: ClassVar[str]

    @classmethod
    @abstractmethod
    def parsed(cls, value: Mapping[str, Any], where: str) -> Self:
        """Read from a document. Raises WrongPolicy."""

    @abstractmethod
    def check(self, case: Case) -> Outcome:
        """Whether the case meets it. Depends on nothing else."""

    def to_dict(self) -> dict[str, Any]:
        """As a document holds it; `parsed` reads it back. Parameters that are not set are left out."""
        return {"kind": self.kind, **{name: value for name, value in asdict(self).items() if value is not None}}

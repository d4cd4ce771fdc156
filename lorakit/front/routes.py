"""The routes of one organisation, as the portal publishes them and the front reads them."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from lorakit.route.examples import Examples
from lorakit.route.router import Decision, Guess, Router
from lorakit.route.rules import Rule
from lorakit.route.table import Table, Unreadable


class Address(msgspec.Struct, frozen=True):
    """Where a model answers: a component of a SageMaker endpoint. `version` is 0 for a base model."""

    endpoint: str
    component: str
    version: int = 0


class StoredRouter(msgspec.Struct, frozen=True):
    """A router. `compiled` and `learnt` are what `Table.dump` and `Examples.dump` gave, the latter empty for none."""

    revision: int
    rules: list[Rule]
    compiled: bytes
    default: str = ""
    floor: float = 0.0
    learnt: bytes = b""
    targets: list[str] = []


class StoredRoutes(msgspec.Struct, frozen=True):
    """Models and routers by the names that callers use."""

    models: dict[str, Address]
    routers: dict[str, StoredRouter]

    def dump(self) -> bytes:
        """As JSON, the same for the same routes."""
        return msgspec.json.encode(self, order="sorted")


@dataclass(frozen=True, kw_only=True)
class FrontRouter:
    """A router that can be asked."""

    revision: int
    router: Router
    learnt: Examples | None
    targets: frozenset[str]

    def decide(self, texts: Sequence[str]) -> Decision:
        """By rules, then by the classifier's guess from the newest text, then by default."""
        return self.router.by_rule(texts) or self.router.by_guess(self._guess(texts))

    def _guess(self, texts: Sequence[str]) -> Guess | None:
        guess = self.learnt.guess(texts[0]) if self.learnt is not None and texts else None
        return guess if guess is not None and guess.target in self.targets else None


@dataclass(frozen=True, kw_only=True)
class Routes:
    """The routes of one organisation."""

    models: dict[str, Address]
    routers: dict[str, FrontRouter]


def read_routes(data: bytes) -> Routes:
    """What `StoredRoutes.dump` gave. Raises ValueError."""
    stored = msgspec.json.decode(data, type=StoredRoutes)
    return Routes(models=stored.models, routers={name: _router(one) for name, one in stored.routers.items()})


def _router(stored: StoredRouter) -> FrontRouter:
    try:
        table = Table.load(stored.compiled)
    except Unreadable:
        # Compiled on another kind of processor. The portal has compiled these rules within its bounds.
        table = Table.compile(stored.rules)
    return FrontRouter(
        revision=stored.revision,
        router=Router(rules=stored.rules, table=table, default=stored.default or None, floor=stored.floor),
        learnt=Examples.load(stored.learnt) if stored.learnt else None,
        targets=frozenset(stored.targets),
    )

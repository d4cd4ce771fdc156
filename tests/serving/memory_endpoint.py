"""An endpoint in memory, for states that a real engine reaches only by accident. It passes the same contract tests."""

from collections.abc import Mapping, Set
from dataclasses import replace

from lorakit.capacity.setup import Setup
from serving.backends.base import Description, EndpointBackend, Health, Package, Status
from serving.backends.errors import EndpointError
from serving.backends.residency import Loaded, Residency
from serving.backends.target import OpenAITarget


class MemoryEndpoint(EndpointBackend):
    """Holds names; `next_status` is what a new deployment becomes, `away` makes every call fail.

    `set_up` is how its `engines` are set up, each of them. With `resident`, it says what it has where and pins.
    """

    title = "An endpoint in memory"

    def __init__(self, alias: str = "default", options: dict[str, object] | None = None) -> None:
        super().__init__(alias, options or {})
        self.held: dict[str, tuple[Package, Status]] = {}
        self.next_status = Status.IN_SERVICE
        self.away = False
        self.kept: Set[str] = set()
        self.set_up: Setup | None = None
        self.engines = 1
        self.resident: Residency | None = None
        self.pinned: set[str] = set()

    @property
    def copies(self) -> int:
        return self.engines

    def setup(self, context: int) -> Setup | None:
        return self.set_up

    def residency(self) -> Residency | None:
        self._answer()
        if self.resident is None:
            return None
        pinned = {name: Loaded(level="gpu", is_pinned=True) for name in self.pinned & self.held.keys()}
        return replace(self.resident, adapters={**self.resident.adapters, **pinned})

    def pin(self, name: str, package: Package, *, is_pinned: bool) -> None:
        self._answer()
        if is_pinned:
            self.pinned.add(name)
        else:
            self.pinned.discard(name)

    def deploy(self, name: str, package: Package) -> None:
        self._answer()
        self.held.setdefault(name, (package, self.next_status))

    def describe(self, name: str) -> Description:
        self._answer()
        if name not in self.held:
            return Description(status=Status.MISSING)
        return Description(status=self.held[name][1])

    def delete(self, name: str) -> None:
        self._answer()
        self.held.pop(name, None)

    def list(self) -> Mapping[str, Status]:
        self._answer()
        return {name: status for name, (_, status) in dict(self.held).items()}

    def target(self, model: str) -> OpenAITarget:
        return OpenAITarget(url="http://127.0.0.1:9/v1", model=model)

    def health(self) -> Health:
        return Health(ok=not self.away, text="It is away." if self.away else "", adapters=len(self.held))

    def tidy(self, keep: Set[str]) -> None:
        self.kept = keep

    def _answer(self) -> None:
        if self.away:
            raise EndpointError("platform:endpoint_unreachable", "The endpoint does not answer.", temporary=True)

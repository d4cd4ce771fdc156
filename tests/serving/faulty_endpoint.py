"""An endpoint in memory that refuses, fails, sticks and loses adapters, and lets something happen during a call."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from serving.backends.base import Description, Package, Status
from serving.backends.errors import EndpointError
from serving.backends.target import Target
from serving.endpoints.asking import Answer
from tests.serving.memory_endpoint import MemoryEndpoint


class Fault(StrEnum):
    """What becomes of an adapter that is put there."""

    NONE = "in service at once"
    STICKS = "creating until it settles"
    FAILS = "failed"
    REFUSED = "refused for good"
    NO_ROOM = "refused for now"


STATUS = {Fault.STICKS: Status.CREATING, Fault.FAILS: Status.FAILED}


class FaultyEndpoint(MemoryEndpoint):
    """An adapter answers with the hash of its package. `meet` is called before and after every call, by its name."""

    def __init__(self, alias: str = "default", options: dict[str, object] | None = None) -> None:
        super().__init__(alias, options)
        self.mend()
        self.meet: Callable[[str], None] = lambda point: None

    def mend(self) -> None:
        """Nothing goes wrong from now on."""
        self.away, self.fault, self.deletes_slowly = False, Fault.NONE, False

    def settle(self, status: Status = Status.IN_SERVICE) -> None:
        """What is being made comes to an end, and what is being deleted is gone."""
        left = {name: one for name, one in self.held.items() if one[1] is not Status.DELETING}
        self.held = {name: (one, status if at is Status.CREATING else at) for name, (one, at) in left.items()}

    def deploy(self, name: str, package: Package) -> None:
        self.meet("before deploy")
        self._answer()
        if self.fault is Fault.REFUSED:
            raise EndpointError("deployment:refused", "The endpoint rejected the adapter.", temporary=False)
        if self.fault is Fault.NO_ROOM:
            raise EndpointError("platform:no_room", "The endpoint has no room right now.", temporary=True)
        found = self.held.get(name)
        if found is None:
            self.held[name] = (package, STATUS.get(self.fault, Status.IN_SERVICE))
        elif found[1] is Status.FAILED:
            self._remove(name)
        self.meet("after deploy")

    def describe(self, name: str) -> Description:
        self.meet("before describe")
        described = super().describe(name)
        self.meet("after describe")
        return described

    def delete(self, name: str) -> None:
        self.meet("before delete")
        self._answer()
        if name in self.held:
            if self.held[name][1] is Status.CREATING:
                # As SageMaker does.
                raise EndpointError("deployment:endpoint_changing", "The endpoint is being changed.", temporary=True)
            self._remove(name)
        self.meet("after delete")

    def list(self) -> Mapping[str, Status]:
        self.meet("before list")
        listed = super().list()
        self.meet("after list")
        return listed

    def answer(self, target: Target, messages: Sequence[Any], **options: Any) -> Answer:
        """Stands for serving.endpoints.asking.ask."""
        self.meet("before ask")
        self._answer()
        package, status = self.held.get(target.model, (None, Status.MISSING))
        if package is None or status is not Status.IN_SERVICE:
            raise EndpointError("endpoint:not_deployed", "This model is not on the endpoint right now.", temporary=True)
        answer = Answer(text=package.sha256, prompt_tokens=1, completion_tokens=1, latency_ms=1.0, busy_ms=1.0)
        self.meet("after ask")
        return answer

    def _remove(self, name: str) -> None:
        if self.deletes_slowly:
            self.held[name] = (self.held[name][0], Status.DELETING)
        else:
            del self.held[name]

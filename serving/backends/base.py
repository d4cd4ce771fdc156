"""The contract of an endpoint backend: one base model, and adapters loaded and unloaded by name."""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from jobs.aliases import merge_options
from jobs.prices import Priced, stated
from lorakit.capacity.setup import Setup
from serving.backends.alarms import CloudAlarm
from serving.backends.errors import EndpointError
from serving.backends.recommending import Recommender
from serving.backends.residency import Residency
from serving.backends.target import Target


class Status(StrEnum):
    """The state of a deployment at the endpoint. `missing`: there is none of that name, and it may be deployed."""

    CREATING = "creating"
    IN_SERVICE = "in_service"
    FAILED = "failed"
    DELETING = "deleting"
    MISSING = "missing"


@dataclass(frozen=True, kw_only=True)
class Description:
    """A deployment's status; `text` says why it failed."""

    status: Status
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Package:
    """An adapter package in storage: its key and the SHA-256 of its bytes in hexadecimal."""

    key: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Health:
    """Whether the endpoint answers, and what it says of itself; `adapters` is how many it holds."""

    ok: bool
    text: str = ""
    base: str = ""
    adapters: int = 0


class Waiting(str):
    """A line that says what is waited for: nothing more can be done now."""

    __slots__ = ()


class Provision(Protocol):
    """Makes, changes and deletes an endpoint in a cloud.

    Each says what it is doing, a line at a time, and raises EndpointError. After a line that is Waiting, it is called
    again in a while and goes on from what it finds; so it does when it was interrupted. Without one, all is done.
    """

    def create(self) -> Iterator[str]: ...
    def update(self) -> Iterator[str]: ...
    def delete(self) -> Iterator[str]: ...


@dataclass(frozen=True, kw_only=True)
class Option:
    """An option that each endpoint of an alias may set for itself, as its form shows it. `unset` says nothing."""

    name: str
    title: str
    help: str = ""
    choices: tuple[int | str, ...] = ()
    unset: int | None = None


PRICE = (
    Option(
        name="PRICE_USD_PER_HOUR",
        title="Price per hour",
        help="US dollars for the whole endpoint, where Prices has none.",
    ),
    Option(name="PRICE_SOURCE", title="Source of the price", help="What customers read beside their costs."),
)


class EndpointBackend(ABC):
    """One endpoint. Every method may be called twice with the same arguments.

    Methods talk to another system with short time-outs, so none is called inside a transaction. `DRAIN_SECONDS` is
    how long a replaced deployment stays able to answer, and to be rolled back to; MAX_RANK, the highest rank that it
    takes. `own` are the options that each endpoint may set for itself.
    """

    title: ClassVar[str]
    apart_by: ClassVar[tuple[str, ...]] = ()
    own: ClassVar[tuple[Option, ...]] = PRICE
    options: ClassVar[dict[str, Any]] = {
        "DRAIN_SECONDS": 3600,
        "MAX_RANK": 64,
        "PRICE_USD_PER_HOUR": 0.0,
        "PRICE_SOURCE": "",
    }

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        self.alias = alias
        merged = merge_options("ENDPOINTS", alias, self.options, options)
        self.drain = dt.timedelta(seconds=merged["DRAIN_SECONDS"])
        self.usd_per_hour: float | None = stated(merged["PRICE_USD_PER_HOUR"], merged["PRICE_SOURCE"])
        self.price_source: str = merged["PRICE_SOURCE"]
        self.max_rank: int = merged["MAX_RANK"]

    @property
    def priced(self) -> Priced:
        """What an hour of the whole endpoint is priced as."""
        return Priced(service="hosting", item=self.alias)

    def running_instances(self) -> int:
        """How many are running now, each of which is paid for. Raises EndpointError."""
        return self.priced.count

    @property
    def context_tokens(self) -> int | None:
        """The longest context that it takes; None if it is the base model's."""
        return None

    @property
    def copies(self) -> int:
        """How many engines share its requests, each with the same adapters."""
        return 1

    def setup(self, context: int) -> Setup | None:
        """How its engine is set up for a base with that context in tokens; None where nobody knows.

        Raises ValueError for figures that can't be.
        """
        return None

    @classmethod
    def apart(cls, name: str, base_model: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options that keep a further endpoint apart from that of its alias, whose OPTIONS are `options`."""
        return {}

    @classmethod
    def suited(cls, *, model_uri: str, instance_type: str) -> dict[str, Any]:
        """The options that a base model brings along: its files in S3, and its instance type. Either may be empty."""
        return {}

    @abstractmethod
    def deploy(self, name: str, package: Package) -> None:
        """Begin to put the package on the endpoint as `name`; `describe` tells when it is in service.

        A name that is there already is left alone: a name stands for one content for ever. One that failed is
        removed, to be deployed again once it is gone.
        """

    @abstractmethod
    def describe(self, name: str) -> Description:
        """How the deployment called `name` is."""

    @abstractmethod
    def delete(self, name: str) -> None:
        """Take the deployment off; one that is gone already is fine."""

    @abstractmethod
    def list(self) -> Mapping[str, Status]:
        """All adapters on the endpoint by name, also those that are not ours."""

    @abstractmethod
    def target(self, model: str) -> Target:
        """Where to send requests for a deployment, or for the base under its own name. Asks nobody."""

    def targets(self, model: str) -> Sequence[Target]:
        """One for each server that answers for itself: what is checked after a deployment is checked on all."""
        return (self.target(model),)

    @abstractmethod
    def health(self) -> Health:
        """Whether the endpoint answers. Never raises."""

    def residency(self) -> Residency | None:
        """Which adapters are in slots and in memory; None where it doesn't say. Raises EndpointError."""
        return None

    def pin(self, name: str, package: Package, *, is_pinned: bool) -> None:
        """Keep a deployment in a slot, loading it at once, or let it take turns again.

        Only where `residency` says what is pinned. Raises EndpointError: deployment:no_free_slot if others have them
        all, deployment:cannot_pin.
        """
        raise EndpointError("deployment:cannot_pin", "This endpoint can’t pin adapters.", temporary=False)

    def scaling(self) -> Iterator[str]:
        """How it scales and what its alarms say, as it is in the cloud, a line at a time. Raises EndpointError."""
        return iter(())

    def alarms(self) -> Sequence[CloudAlarm]:
        """The cloud's alarms on it that tell people, by name. Raises EndpointError."""
        return ()

    def recommender(self) -> Recommender | None:
        """What asks the cloud which machines it needs; None where there is no such service."""
        return None

    def provision(self) -> Provision | None:
        """What makes this endpoint; None for one that is made elsewhere. Raises ValueError for options it lacks."""
        return None

    def tidy(self, keep: Set[str]) -> None:
        """Drop copies of packages other than those with the SHA-256 hashes in `keep`."""

"""What an endpoint adds to the contract if its copies come and go by themselves."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable


@runtime_checkable
class Scales(Protocol):
    """An endpoint that can say how it scales."""

    def scaling(self) -> Iterator[str]:
        """A line at a time, as it is in the cloud. Raises EndpointError."""
        ...

"""What the rest of the site says of its work, whether or not anybody traces it.

Without a collector, all of this does nothing and imports nothing: OpenTelemetry's API alone takes 40 ms to load and
some microseconds for each span. `rest.tracing.start` puts a recording one in its place.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from enum import Enum

Attributes = Mapping[str, str | int | float | bool]
"""By the semantic conventions. Only names in `rest.tracing.exported.KEPT` leave the site."""

TRACEPARENT = "traceparent"
"""The header of W3C's Trace Context that names a trace and the span within it."""


class Kind(Enum):
    """Which side of a call a span is."""

    INTERNAL = "INTERNAL"
    SERVER = "SERVER"
    CLIENT = "CLIENT"


class Span:
    """One piece of work. This one is not recorded."""

    traceparent = ""
    """What the next system is told, so that its spans belong to this one."""

    def tell(self, attributes: Attributes) -> None:
        """Add attributes."""

    def rename(self, name: str) -> None:
        """Give it the name that is known only now."""

    def fail(self, error_type: str) -> None:
        """Say that it failed: a code or a class's name, never a message."""

    def end(self) -> None:
        """Say that the work is done."""


class Spans:
    """Records nothing."""

    are_recorded = False

    @property
    def current(self) -> Span:
        """The span within which this is called."""
        return UNRECORDED

    def within(
        self, name: str, *, kind: Kind = Kind.INTERNAL, attributes: Attributes | None = None, traceparent: str = ""
    ) -> AbstractContextManager[Span]:
        """A span of the work inside; an exception ends it as failed.

        A server's is part of the trace that `traceparent` names, or begins one; any other is part of the current span.
        """
        return nullcontext(UNRECORDED)

    def begin(self, name: str, *, kind: Kind, attributes: Attributes | None = None) -> Span:
        """Part of the current span, but current nowhere: for work that begins and ends in different tasks."""
        return UNRECORDED

    def close(self) -> None:
        """Send what was not sent yet, and no more. Returns within seconds, also where no collector answers."""


UNRECORDED = Span()
_active = Spans()


def spans() -> Spans:
    """Those of this process."""
    return _active


def use(active: Spans) -> None:
    """From now on these."""
    global _active
    _active = active

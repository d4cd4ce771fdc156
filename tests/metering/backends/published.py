"""A stand-in whose metrics tests publish themselves, at the hours they say, and CloudWatch's source for it."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from metering.backends.cloudwatch import CloudWatch
from standin.clock import ManualClock
from standin.server import REGION, StandIn
from tests.standin.deployment import running_standin

HOUR = dt.timedelta(hours=1)


@contextmanager
def publishing(folder: Path) -> Iterator[tuple[StandIn, ManualClock]]:
    """Its clock is at the beginning of an hour."""
    clock = ManualClock()
    with running_standin(folder, clock=clock) as standin:
        clock.advance(3600 - clock.now() % 3600)
        yield standin, clock


def source_at(standin: StandIn, **changes: Any) -> CloudWatch:
    """CloudWatch's source, which does not wait between tries."""
    return CloudWatch("cloudwatch", {"REGION": REGION, "ENDPOINT_URL": standin.url, "PAUSE_SECONDS": 0.0, **changes})


def moment(clock: ManualClock) -> dt.datetime:
    return dt.datetime.fromtimestamp(round(clock.now()), dt.UTC)


def answer(standin: StandIn, component: str, *, count: int = 1, failed: int = 0, ms: float = 100.0) -> None:
    """Publish that a component answered now, and that some of its requests failed."""
    for number in range(count):
        is_error = float(number < failed)
        standin.hosting.publish(
            {
                "Invocations": 1.0, "Invocation4XXErrors": 0.0, "Invocation5XXErrors": is_error,
                "InvocationModelErrors": is_error, "ModelLatency": ms * 1e3, "OverheadLatency": 2e3,
            },
            InferenceComponentName=component,
        )  # fmt: skip

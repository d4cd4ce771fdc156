"""A run's events: the trainer's lines from CloudWatch Logs, with AWS's phases between them.

A job that AWS interrupts starts again in a new container, which numbers its lines from 1 and writes to its own log
stream. So each container's numbers are moved into a separate block, and a number always means the same event.
"""

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from jobs.backends.sagemaker.errors import is_missing, translated
from jobs.backends.sagemaker.status import PHASES, Description
from lorakit.contracts import EVENT_TYPES, decode_event
from lorakit.errors import ContractError

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
BLOCK = 1_000_000
AFTER_LINES = 900_000
OVERLAP_MS = 10_000
"""CloudWatch may show an older line after a newer one, so the last seconds are read again."""
PAGES = 20
"""At most this many pages of lines are read per call; the next call continues from there."""

Event = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """One printed line, the number of the container that printed it (from 1), and when (Unix milliseconds)."""

    container: int
    at_ms: int
    text: str


@dataclass(frozen=True)
class Log:
    """The printed lines, oldest first, and the number of containers so far."""

    lines: tuple[Line, ...]
    containers: int


def read_log(logs: Any, name: str, since_ms: int) -> Log:
    """The lines the job's first machine printed since `since_ms`; only that machine writes events."""
    with translated("reading the log"):
        streams = _streams(logs, name)
        lines = (
            line
            for container, stream in enumerate(streams, 1)
            for line in _read_stream(logs, stream, container, since_ms)
        )
        return Log(tuple(lines), len(streams))


def read_tail(logs: Any, name: str, lines: int) -> tuple[str, ...]:
    """The newest container's last lines that are not events, oldest first."""
    with translated("reading the log"):
        streams = _streams(logs, name)
        if not streams:
            return ()
        page = logs.get_log_events(logGroupName=LOG_GROUP, logStreamName=streams[-1], startFromHead=False)
    printed = [str(event["message"]) for event in page["events"]]
    return tuple([text for text in printed if parse(text) is None][-lines:])


def _streams(logs: Any, name: str) -> list[str]:
    """The log stream of each container on the first machine, oldest first: their names end in their start time."""
    try:
        found = logs.describe_log_streams(
            logGroupName=LOG_GROUP, logStreamNamePrefix=f"{name}/algo-1-", orderBy="LogStreamName"
        )
    except ClientError as error:
        if is_missing(error):
            return []
        raise
    return [stream["logStreamName"] for stream in found["logStreams"]]


def _read_stream(logs: Any, stream: str, container: int, since_ms: int) -> Iterator[Line]:
    where = {"logGroupName": LOG_GROUP, "logStreamName": stream, "startFromHead": True, "startTime": since_ms}
    page = logs.get_log_events(**where)
    for _ in range(PAGES):
        for event in page["events"]:
            yield Line(container, int(event["timestamp"]), str(event["message"]))
        # An empty page may be followed by more. The end is reached when the token no longer changes.
        token = page["nextForwardToken"]
        page = logs.get_log_events(**where, nextToken=token)
        if page["nextForwardToken"] == token:
            return


def file_lines(path: Path, container: int) -> list[Line]:
    """The lines of a container's own event file, which has no CloudWatch times."""
    if not path.exists():
        return []
    return [Line(container, 0, text) for text in path.read_text(encoding="utf-8").splitlines()]


def in_order(*events: Iterable[Event]) -> tuple[Event, ...]:
    """The events in order of their numbers, each number once."""
    numbered = {int(event["seq"]): event for part in events for event in part}
    return tuple(numbered[seq] for seq in sorted(numbered))


def events_of(lines: Iterable[Line]) -> list[Event]:
    """The lines that are events, numbered within their container's block."""
    parsed = ((line.container, parse(line.text)) for line in lines)
    return [event | {"seq": container * BLOCK + event["seq"]} for container, event in parsed if event is not None]


def parse(text: str) -> Event | None:
    """The event in a line; None for a line that a library printed."""
    if not text.startswith("{"):
        return None
    try:
        decode_event(text)
    except ContractError:
        return None
    event: Event = json.loads(text)
    return event if event["type"] in EVENT_TYPES else None


def phase_events(job: Description, since_ms: int) -> list[Event]:
    """AWS's phases since `since_ms`, numbered so that they sort between the containers' lines."""
    found, containers = [], 0
    for index, transition in enumerate(job.get("SecondaryStatusTransitions", ())):
        began = transition["Status"] == "Training"
        containers += began
        at: dt.datetime = transition["StartTime"]
        if transition["Status"] in PHASES and at.timestamp() * 1000 >= since_ms:
            seq = containers * BLOCK + (0 if began else AFTER_LINES + index)
            found.append({"seq": seq, "t": at.timestamp(), "type": "phase", "phase": PHASES[transition["Status"]]})
    return found

"""Reads the sources of USAGE_SOURCES into rows by hour.

A row is replaced by what is read later, never added to, and progress moves in the transaction that writes the rows. So
a reading may be repeated, and one that was killed is continued by the next.
"""

import datetime as dt
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import structlog
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from metering.backends import usage_sources
from metering.backends.base import EndpointHour, ObservedHour, UsageSource, figures_of
from metering.backends.errors import UsageSourceError
from metering.models import ObservedEndpoint, ObservedProgress, ObservedSource, ObservedUsage
from metering.observed.watched import Watched, WatchedComponent, WatchedEndpoint, watched
from metering.observed.windows import Progress, Window, batches, beginning, older_window, recent_window
from tenants.scope import system_scope

TURN = dt.timedelta(minutes=5)
"""How long a process may take for a step before another one goes on."""
RUN_SECONDS = 60.0
AT_ONCE = 50
"""Components of one step."""
ROWS_AT_ONCE = 2_000

log = structlog.get_logger(__name__)
W = TypeVar("W", bound=Watched)


class Lost(Exception):
    """Another process reads the source now."""


def read_observed(*, now: dt.datetime | None = None, seconds: float = RUN_SECONDS) -> None:
    """Read what is due from every source, in steps, for about so many seconds; the next call goes on.

    A source that another process reads is left alone, and one that cannot be read until the next call.
    """
    deadline = time.monotonic() + seconds
    for alias, source in usage_sources.items():
        reading = SourceReading(source=source, now=now or timezone.now(), deadline=deadline)
        if not reading.take():
            continue
        try:
            reading.run()
        except Lost:
            log.warning("usage_source_lost", source=alias)
        except UsageSourceError as error:
            reading.note(read_at=None, error=error)
            tell = log.warning if error.temporary else log.error
            tell("usage_source_not_read", source=alias, code=error.code, error=error.text)
        finally:
            reading.release()


class SourceReading:
    """One process's turn at a source, until `deadline` by time.monotonic."""

    def __init__(self, *, source: UsageSource, now: dt.datetime, deadline: float) -> None:
        self._source = source
        self._now = now
        self._deadline = deadline
        self._holder = uuid.uuid4()
        self._progress: dict[tuple[str, bool], Progress] = {}

    def take(self) -> bool:
        """Whether this process may read the source: nobody else does."""
        ObservedSource.objects.get_or_create(alias=self._source.alias)
        is_free = Q(held_until=None) | Q(held_until__lte=Now())
        free = ObservedSource.objects.filter(is_free, alias=self._source.alias)
        return bool(free.update(holder=self._holder, held_until=Now() + TURN))

    def release(self) -> None:
        """Let others read it."""
        self._own.update(holder=None, held_until=None)

    def note(self, *, read_at: dt.datetime | None, error: UsageSourceError | None = None) -> None:
        """Keep how the reading went, for the operator."""
        told = {"error_code": error.code if error else "", "error_text": error.text if error else ""}
        self._own.update(**told, **({"read_at": read_at} if read_at else {}))

    def run(self) -> None:
        """Read the last hours of everything, then what is older. Raises UsageSourceError, Lost."""
        components, sites = watched(self._source)
        self._load()
        is_done = self._read_recent(components, sites) and self._read_older(components, sites)
        self.note(read_at=self._now if is_done else None)

    def _read_recent(self, components: Sequence[WatchedComponent], sites: Sequence[WatchedEndpoint]) -> bool:
        recent = [(recent_window(self._of(one), until=one.until, now=self._now), one) for one in components]
        for window, some in batches(_due(recent), AT_ONCE):
            if self._is_late:
                return False
            self._read_components(some, window)
        for site in sites:
            window_of_site = recent_window(self._of(site), until=site.until, now=self._now)
            if window_of_site is not None:
                self._read_endpoint(site, window_of_site)
        return True

    def _read_older(self, components: Sequence[WatchedComponent], sites: Sequence[WatchedEndpoint]) -> bool:
        """Step by step, as each moves the progress of what it read; what did not answer in full waits for next time."""
        stuck: set[Watched] = set()
        while True:
            todo = [one for one in components if one not in stuck]
            older = [(older_window(self._of(one), until=one.until, now=self._now), one) for one in todo]
            step = next(batches(_due(older), AT_ONCE), None)
            if step is None:
                break
            if self._is_late:
                return False
            window, some = step
            stuck |= self._read_components(some, window)
        for site in sites:
            while (window_of_site := older_window(self._of(site), until=site.until, now=self._now)) is not None:
                if self._is_late:
                    return False
                if not self._read_endpoint(site, window_of_site):
                    stuck.add(site)
                    break
        return not stuck

    def _read_components(self, some: Sequence[WatchedComponent], window: Window) -> set[WatchedComponent]:
        """Read and store a window of these. Returns those that could not be read in full."""
        found = self._source.components([one.name for one in some], window.start, window.end)
        with transaction.atomic(), system_scope():
            self._keep()
            rows = [
                (hour, found[one.name].missing,
                 {"tenant_id": one.tenant_id, "component": one.name, "deployment": one.deployment})
                for one in some
                for hour in found[one.name].hours
            ]  # fmt: skip
            _store(ObservedUsage, rows, self._now)
            done = [one for one in some if found[one.name].is_complete]
            self._advance(done, window)
        return set(some) - set(done)

    def _read_endpoint(self, site: WatchedEndpoint, window: Window) -> bool:
        """Read and store a window of an endpoint. Returns whether that was all."""
        found = self._source.endpoint(site.place, window.start, window.end)
        with transaction.atomic():
            self._keep()
            rows = [(hour, found.missing, {"endpoint_id": site.endpoint_id}) for hour in found.hours]
            _store(ObservedEndpoint, rows, self._now)
            if found.is_complete:
                self._advance([site], window)
        return found.is_complete

    def _load(self) -> None:
        known = ObservedProgress.objects.filter(source=self._source.alias)
        self._progress = {
            (row.name, row.is_endpoint): Progress(
                read_to=row.read_to, settled_to=row.settled_to, revisited_at=row.revisited_at
            )
            for row in known
        }

    def _of(self, one: Watched) -> Progress:
        return self._progress.get(_key(one)) or beginning(one.since, self._now)

    def _advance(self, some: Sequence[Watched], window: Window) -> None:
        moved = {_key(one): self._of(one).after(window, self._now) for one in some}
        ObservedProgress.objects.bulk_create(
            [
                ObservedProgress(
                    source=self._source.alias, name=name, is_endpoint=is_endpoint, read_to=progress.read_to,
                    settled_to=progress.settled_to, revisited_at=progress.revisited_at,
                )
                for (name, is_endpoint), progress in moved.items()
            ],
            update_conflicts=True, unique_fields=["source", "name", "is_endpoint"],
            update_fields=["read_to", "settled_to", "revisited_at"],
        )  # fmt: skip
        self._progress |= moved

    def _keep(self) -> None:
        """Hold the source for another step. Raises Lost if somebody else has taken it."""
        if not self._own.update(held_until=Now() + TURN):
            raise Lost

    @property
    def _own(self) -> models.QuerySet[ObservedSource]:
        return ObservedSource.objects.filter(alias=self._source.alias, holder=self._holder)

    @property
    def _is_late(self) -> bool:
        return time.monotonic() >= self._deadline


def _key(one: Watched) -> tuple[str, bool]:
    return one.name, isinstance(one, WatchedEndpoint)


def _due(windows: Iterable[tuple[Window | None, W]]) -> Iterator[tuple[Window, W]]:
    return ((window, one) for window, one in windows if window is not None)


def _store(
    model: type[ObservedUsage] | type[ObservedEndpoint],
    hours: Sequence[tuple[ObservedHour, frozenset[str], Mapping[str, Any]]],
    now: dt.datetime,
) -> None:
    """Write hours over what was known of them, each with its missing figures, which stay as they were, and its key."""
    kind = EndpointHour if model is ObservedEndpoint else ObservedHour
    by_missing: dict[frozenset[str], list[Any]] = {}
    for hour, missing, key in hours:
        figures = {name: getattr(hour, name) for name in figures_of(kind)}
        by_missing.setdefault(missing, []).append(model(hour=hour.hour, read_at=now, **figures, **key))
    for missing, rows in by_missing.items():
        model._default_manager.bulk_create(
            rows,
            batch_size=ROWS_AT_ONCE,
            update_conflicts=True,
            unique_fields=list(model.KEY),
            update_fields=["read_at", *(name for name in figures_of(kind) if name not in missing)],
        )

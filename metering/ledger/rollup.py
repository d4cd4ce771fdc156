"""Adds invocations to the hours, days and months they belong to."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from django.db import connection

from metering.ledger.arrays import unnested
from metering.ledger.invocations import Row
from metering.ledger.sketches import Bins, Integers
from metering.models import By, Grain, HourlyUsage, RollUp, UsageTotal, version_value

ERROR_STATUS = 400
LEFT_STATUS = 499
LIMITED_STATUS = 429
FAILED_STATUS = 500
ROWS_AT_ONCE = 5_000


class Fact(NamedTuple):
    """The key of a row of `HourlyUsage`."""

    tenant_id: str
    hour: dt.datetime
    alias: str
    version_key: str
    endpoint: str
    key: str


class Total(NamedTuple):
    """The key of a row of `UsageTotal`."""

    tenant_id: str
    by: str
    grain: str
    start: dt.datetime
    value: str


@dataclass(frozen=True)
class Sums:
    """What is added to rows of a roll-up: for each its sums by name, and its sketches by name."""

    counted: dict[str, Integers]
    sketches: dict[str, Bins]

    @classmethod
    def of(cls, rows: Sequence[Row], place: Integers, size: int) -> Self:
        """The sums of invocations, each of which belongs to one of `size` rows."""
        counted = {name: np.zeros(size, np.int64) for name in RollUp.SUMS}
        status = np.array([row.status for row in rows])
        limited, left, failed = status == LIMITED_STATUS, status == LEFT_STATUS, status >= FAILED_STATUS
        for name, values in {
            "requests": 1,
            "refused": (status >= ERROR_STATUS) & ~limited & ~left & ~failed,
            "limited": limited,
            "disconnected": left,
            "failed": failed,
            "prompt_tokens": [row.prompt_tokens for row in rows],
            "cached_tokens": [row.cached_tokens for row in rows],
            "completion_tokens": [row.completion_tokens for row in rows],
            "cold_starts": [row.cold_start for row in rows],
            "busy_us": _microseconds([row.busy_ms for row in rows]),
            "queue_us": _microseconds([row.queue_ms or 0.0 for row in rows]),
            "timed": [row.queue_ms is not None for row in rows],
            # Whoever was refused before has asked nothing of an endpoint.
            "unpriced": [row.endpoint != "" for row in rows],
        }.items():
            np.add.at(counted[name], place, values)
        # A refused request has no meaningful latency.
        answered = status < ERROR_STATUS
        begun = answered & np.array([row.first_token_ms is not None for row in rows])
        latency = np.array([row.latency_ms for row in rows])
        first = np.array([row.first_token_ms or 0.0 for row in rows])
        sketches = {
            "latency_sketch": Bins.of_values(place[answered], latency[answered]),
            "first_token_sketch": Bins.of_values(place[begun], first[begun]),
        }
        return cls(counted, sketches)

    def regrouped(self, old: Integers, new: Integers, size: int) -> Self:
        """The sums of `size` rows that are made of these: row `old[i]` is a part of the new one `new[i]`."""
        counted = {name: np.zeros(size, np.int64) for name in self.counted}
        for name, values in self.counted.items():
            np.add.at(counted[name], new, values[old])
        return type(self)(counted, {name: bins.regrouped(old, new) for name, bins in self.sketches.items()})


def hour_of(moment: dt.datetime) -> dt.datetime:
    """The beginning of the hour (UTC)."""
    return moment.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)


def add_to_roll_ups(rows: Sequence[Row]) -> None:
    """Add invocations, whose times are in UTC. The caller holds the collector's lock."""
    if not rows:
        return
    facts: dict[Fact, int] = {}
    places = np.array([facts.setdefault(_fact(row), len(facts)) for row in rows])
    add_sums(facts, Sums.of(rows, places, len(facts)))


def add_sums(facts: Mapping[Fact, int], sums: Sums) -> None:
    """Add sums, each with its place, to their hours and all that these are a part of."""
    _add(HourlyUsage, list(facts), sums)
    totals: dict[Total, int] = {}
    pairs = [(old, totals.setdefault(total, len(totals))) for fact, old in facts.items() for total in _totals(fact)]
    old, new = np.array(pairs).T
    _add(UsageTotal, list(totals), sums.regrouped(old, new, len(totals)))


def _fact(row: Row) -> Fact:
    hour = row.at.replace(minute=0, second=0, microsecond=0)
    return Fact(row.tenant_id, hour, row.alias, row.version_id or "", row.endpoint, row.key_id or "")


def _totals(fact: Fact) -> Iterator[Total]:
    day = fact.hour.replace(hour=0)
    starts = ((Grain.HOUR.value, fact.hour), (Grain.DAY.value, day), (Grain.MONTH.value, day.replace(day=1)))
    for by, value in ((By.ALL.value, ""), (By.ENDPOINT.value, fact.endpoint), (By.KEY.value, fact.key)):
        for grain, start in starts:
            yield Total(fact.tenant_id, by, grain, start, value)
    for grain, start in starts[1:]:
        yield Total(fact.tenant_id, By.VERSION.value, grain, start, version_value(fact.alias, fact.version_key))


def _add(model: type[RollUp], keys: Sequence[tuple[Any, ...]], sums: Sums) -> None:
    """Two statements for each `ROWS_AT_ONCE` rows: what is known of their sketches, and the new values.

    Always in the order of the keys, so that no two that write can wait for each other.
    """
    order = sorted(range(len(keys)), key=keys.__getitem__)
    for start in range(0, len(order), ROWS_AT_ONCE):
        chosen = np.array(order[start : start + ROWS_AT_ONCE])
        some = sums.regrouped(chosen, np.arange(len(chosen)), len(chosen))
        _add_some(model, [keys[index] for index in chosen], some)


def _add_some(model: type[RollUp], keys: Sequence[tuple[Any, ...]], sums: Sums) -> None:
    table, names, sketches = model._meta.db_table, ", ".join(model.KEY), ", ".join(model.SKETCHES)
    columns = dict(zip(model.KEY, zip(*keys, strict=True), strict=True))
    source, parameters = unnested(model, columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT number, {sketches} FROM {source} WITH ORDINALITY AS wanted({names}, number)"  # noqa: S608
            f" JOIN {table} USING ({names})",
            parameters,
        )
        found = cursor.fetchall()
    groups = np.array([number for number, *_ in found], np.int64) - 1
    whole = {
        name: sums.sketches[name].plus(Bins.of_sketches([row[place] for row in found], groups)).stored(len(keys))
        for place, name in enumerate(model.SKETCHES, start=1)
    }
    values = {**columns, **{name: counts.tolist() for name, counts in sums.counted.items()}, **whole}
    source, parameters = unnested(model, values)
    changes = [f"{name} = {table}.{name} + EXCLUDED.{name}" for name in model.SUMS]
    changes += [f"{name} = EXCLUDED.{name}" for name in model.SKETCHES]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(values)}) SELECT * FROM {source}"  # noqa: S608
            f" ON CONFLICT ({names}) DO UPDATE SET {', '.join(changes)}",
            parameters,
        )


def _microseconds(milliseconds: Sequence[float]) -> Integers:
    return np.rint(np.asarray(milliseconds, np.float64) * 1000).astype(np.int64)

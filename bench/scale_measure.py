"""Asks for addresses in turn, and says how long each took."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from django.db import connection
from django.test import Client

LEAST_ROUNDS, ENOUGH_MS = 3, 10_000.0
"""An address that has taken this long is asked no more, once it was asked often enough."""


@dataclass(kw_only=True)
class Measured:
    """An address with its times in milliseconds; `cpu_ms` is of this process and the database's."""

    name: str
    url: str
    queries: int
    size: int
    times: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    @property
    def p50_ms(self) -> float:
        return statistics.median(self.times)

    @property
    def processor_p50_ms(self) -> float:
        return statistics.median(self.cpu_ms)

    @property
    def p95_ms(self) -> float:
        return statistics.quantiles(self.times, n=20, method="inclusive")[-1]


def ask_once(client: Client, name: str, url: str) -> Measured | None:
    """The first answer, which warms what is kept. None where there is no GET."""
    answer, queries = _count_queries(partial(client.get, url))
    if answer.status_code == 405:
        return None
    if answer.status_code >= 400:
        raise SystemExit(f"{name} answers {answer.status_code}: {answer.getvalue()[:500].decode()}")
    return Measured(name=name, url=url, queries=queries, size=len(answer.getvalue()))


def ask_in_turns(client: Client, asked: list[Measured], rounds: int) -> None:
    """Rounds go through all addresses, so that something else on the machine slows all of them alike."""
    for _ in range(rounds):
        for one in asked:
            if len(one.times) >= LEAST_ROUNDS and sum(one.times) > ENOUGH_MS:
                continue
            began, cpu = time.perf_counter(), processor_ms()
            client.get(one.url).getvalue()
            one.times.append((time.perf_counter() - began) * 1000)
            one.cpu_ms.append(processor_ms() - cpu)


def print_table(asked: list[Measured], limit_ms: float) -> None:
    """The slowest first."""
    print(f"\n{'address':<56} {'p50 ms':>8} {'p95 ms':>8} {'limit':>6} {'cpu ms':>8} {'queries':>8} {'KB':>7}")
    for one in sorted(asked, key=lambda one: -one.p95_ms):
        print(
            f"{one.name:<56} {one.p50_ms:>8.1f} {one.p95_ms:>8.1f} {limit_ms:>6.0f}"
            f" {statistics.median(one.cpu_ms):>8.1f} {one.queries:>8} {one.size / 1000:>7.1f}"
            f"{'' if one.p95_ms <= limit_ms else '  above'}"
        )


def _count_queries(ask: Callable[[], Any]) -> tuple[Any, int]:
    count = 0

    def counted(execute: Any, *arguments: Any) -> Any:
        nonlocal count
        count += 1
        return execute(*arguments)

    with connection.execute_wrapper(counted):
        return ask(), count


def processor_ms() -> float:
    """Milliseconds of processor so far, of this process and of the one that answers it in the database."""
    connection.ensure_connection()
    server = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text()
    return time.process_time() * 1000 + int(server.split()[0]) / 1e6

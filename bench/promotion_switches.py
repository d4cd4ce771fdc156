"""Promotions and rollbacks under load: who answered, and how soon each gateway knew."""

import http.client
import json
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

import psutil

from bench.promotion_load import Seen, load
from bench.promotion_site import Caller, Site, messages, promote, roll_back

CACHE_SECONDS = 1.0
"""A gateway may use a route for so long."""

POLL_SECONDS = 0.02
_watching = threading.Lock()
"""One rollback at a time is watched: asking each gateway again and again is work too."""

COLLECT_SECONDS = 60.0


@dataclass(frozen=True)
class Period:
    """A time in which a version was live, at its widest: seconds since 1970."""

    version: int
    since: float
    until: float


def switch_under_load(site: Site, callers: list[Caller], switches: int) -> dict[str, float]:
    """Promote the next version and roll back to the one before, in turns, of all callers at once."""
    each = [(switches // len(callers) + (index < switches % len(callers))) for index in range(len(callers))]
    with load(site.gateway, callers) as seen, ThreadPoolExecutor(len(callers)) as threads:
        began = time.monotonic()
        done = list(threads.map(lambda pair: _switch(site, *pair), zip(callers, each, strict=True)))
        seconds = time.monotonic() - began
    periods = {caller.alias: found for caller, (found, _) in zip(callers, done, strict=True)}
    delays = [delay for _, found in done for delay in found]
    answered = [one for one in seen if not one.error]
    for error in sorted({one.error for one in seen if one.error}):
        print(f"  {error}: {sum(one.error == error for one in seen)} times", flush=True)
    by_alias = {caller.alias: caller for caller in callers}
    others = _recorded_as_another(answered, by_alias)
    return {
        "switches": float(sum(each)),
        "switch_seconds": seconds,
        "switch_requests": len(seen),
        "switch_requests_per_second": len(seen) / seconds,
        "switch_failed": len(seen) - len(answered),
        "switch_first_attempts_failed": sum(not one.began_well for one in seen),
        "switch_wrong": sum(not _is_right(one, by_alias[one.alias], periods[one.alias]) for one in answered),
        "switch_recorded_as_another": others,
        "switch_replaced_less_than_1_s_before": sum(not _was_live(one, periods[one.alias]) for one in answered),
        "rollbacks_seen": len(delays),
        "rollback_seen_p50_s": statistics.median(delays),
        "rollback_seen_max_s": max(delays),
    }


def _switch(site: Site, caller: Caller, count: int) -> tuple[list[Period], list[float]]:
    """The periods of each version, and how long after each rollback each gateway knew of it."""
    periods: list[Period] = []
    delays: list[float] = []
    stable = newest = caller.live
    since = 0.0
    for index in range(count):
        before = caller.live
        if index % 2 == 0:
            newest += 1
            switched, known = promote(caller, newest)
        else:
            with _watching:
                connections = _to_each(site)
                switched, known = roll_back(caller)
                caller.live = stable
                delays += _delays(connections, caller, known)
        periods.append(Period(before, since, known))
        since = switched
    return [*periods, Period(caller.live, since, time.time() + 3600)], delays


def _was_live(one: Seen, periods: list[Period], slack: float = 0.0) -> bool:
    return any(
        period.version == one.version and period.since <= one.ended and period.until >= one.began - slack
        for period in periods
    )


def _is_right(one: Seen, caller: Caller, periods: list[Period]) -> bool:
    """The answer is that of the version it names, which was live, or may still be known as live."""
    return one.text == caller.answers.get(one.version) and _was_live(one, periods, CACHE_SECONDS)


def _recorded_as_another(answered: list[Seen], callers: dict[str, Caller]) -> int:
    """Answers whose record names another version, or that have none; waits for the collector."""
    from metering.models import Invocation
    from tenants.scope import tenant_scope

    deadline = time.monotonic() + COLLECT_SECONDS
    while True:
        recorded: dict[str, UUID | None] = {}
        for caller in callers.values():
            with tenant_scope(caller.tenant.id):
                recorded |= dict(Invocation.objects.values_list("request_id", "version_id"))
        if all(one.request_id in recorded for one in answered) or time.monotonic() > deadline:
            break
        time.sleep(1.0)
    return sum(recorded.get(one.request_id) != callers[one.alias].versions[one.version - 1].id for one in answered)


def _to_each(site: Site) -> list[http.client.HTTPConnection]:
    """A connection to each gateway process."""
    address = urlsplit(site.gateway)
    found: dict[int, http.client.HTTPConnection] = {}
    gateways = site.processes("gateway")
    while len(found) < len(gateways):
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        connection.request("GET", "/health")
        connection.getresponse().read()
        port = connection.sock.getsockname()[1]
        pid = next(process.pid for process in gateways if _has_peer(process, port))
        if pid in found:
            connection.close()
        else:
            found[pid] = connection
    return list(found.values())


def _has_peer(process: psutil.Process, port: int) -> bool:
    return any(getattr(one.raddr, "port", 0) == port for one in process.net_connections("tcp"))


def _delays(connections: list[http.client.HTTPConnection], caller: Caller, since: float) -> list[float]:
    """For each connection, the seconds until the first request that the live version answered began."""
    delays = [0.0] * len(connections)

    def ask(index: int) -> None:
        connection = connections[index]
        body = json.dumps({"model": caller.alias, "messages": messages(), "max_tokens": 1, "temperature": 0})
        while True:
            began = time.time()
            connection.request("POST", "/v1/chat/completions", body, {"authorization": f"Bearer {caller.token}"})
            response = connection.getresponse()
            response.read()
            if response.headers["x-adapter-version"] == str(caller.live):
                delays[index] = began - since
                connection.close()
                return
            time.sleep(POLL_SECONDS)

    asking = [threading.Thread(target=ask, args=(index,)) for index in range(len(connections))]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    return delays

"""The times of web requests, of all processes of one web server.

`portal.web` names a folder in PROMETHEUS_MULTIPROC_DIR, in which each of its processes keeps its counts; another server
may do the same, or has those of the process that is asked.
"""

import os
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
OTHER = "none"
"""The view of an address that the site does not have."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_own = CollectorRegistry()
_times = Histogram(
    "adapter_portal_http_request_seconds",
    "Web requests, from the first middleware to the response, by the name of their view.",
    ("view", "method", "status"),
    buckets=SECONDS,
    registry=_own,
)


class TimesMiddleware:
    """Notes how long each request took. Status is `2xx` and so on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        view = request.resolver_match.view_name if request.resolver_match else OTHER
        method = request.method if request.method in METHODS else OTHER
        _times.labels(view, method, f"{response.status_code // 100}xx").observe(time.perf_counter() - started)
        return response


def request_times() -> CollectorRegistry:
    """Those of every process, if they share a folder, else of this one."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return _own
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry

"""Traces of pages and of what they have Celery do.

The instrumentation that OpenTelemetry has for Django and for ASGI is not used: both read a request's whole address
first, and fail on some that the site answers.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from portal.telemetry.requests import METHODS
from rest.tracing.spans import TRACEPARENT, Kind, Span, spans
from rest.tracing.start import start_tracing

HEALTH = "/health/"
OTHER_METHOD = "_OTHER"


def trace_process(service: str) -> None:
    """Record the spans of this process, and of the messages that it sends and reads, if the site names a collector."""
    provider = start_tracing(service)
    if provider is not None:
        from opentelemetry.instrumentation.celery import CeleryInstrumentor

        CeleryInstrumentor().instrument(tracer_provider=provider)  # type: ignore[no-untyped-call]


class TraceMiddleware:
    """A span for each request but health checks, which a proxy sends every few seconds."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not spans().are_recorded or request.path == HEALTH:
            return self.get_response(request)
        method = request.method if request.method in METHODS else OTHER_METHOD
        attributes = {"http.request.method": method, "url.scheme": request.scheme or "http"}
        caller = request.headers.get(TRACEPARENT, "")
        with spans().within(method, kind=Kind.SERVER, attributes=attributes, traceparent=caller) as span:
            response = self.get_response(request)
            _describe(span, method, request, response)
        return response


def _describe(span: Span, method: str, request: HttpRequest, response: HttpResponse) -> None:
    """By the pattern of the address: the address itself holds names that customers gave."""
    span.tell({"http.response.status_code": response.status_code})
    if request.resolver_match is not None:
        route = f"/{request.resolver_match.route}"
        span.rename(f"{method} {route}")
        span.tell({"http.route": route})
    if tenant := getattr(request, "tenant", None):
        span.tell({"adapter_portal.tenant.id": str(tenant.id)})
    if response.status_code >= 500:
        span.fail(str(response.status_code))

"""Begins tracing in a process, if the environment names a collector.

The variables are OpenTelemetry's own, and its SDK reads most of them: where spans go, with which headers, how many.
"""

import os
from typing import TYPE_CHECKING

from rest.tracing.spans import spans, use

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def is_wanted() -> bool:
    """Whether a collector is named, and tracing is not turned off otherwise."""
    is_off = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return any(os.environ.get(name, "").strip() for name in ENDPOINTS) and not is_off


def start_tracing(service: str) -> "TracerProvider | None":
    """Record this process's spans as those of `service`, unless OTEL_SERVICE_NAME says another.

    The provider of these spans; None where none is wanted.

    A thread sends them, so that nothing waits for the collector; what it can't take in time is dropped.
    """
    if not is_wanted():
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from rest.tracing.exported import DiscreetExporter
    from rest.tracing.recording import RecordedSpans

    name = os.environ.get("OTEL_SERVICE_NAME", "").strip() or service
    # At exit it would wait for half a minute for a collector that does not answer.
    provider = TracerProvider(resource=Resource.create({"service.name": name}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(DiscreetExporter(OTLPSpanExporter())))
    use(RecordedSpans(provider))
    return provider


def stop_tracing() -> None:
    """Send what is left, before the process ends."""
    spans().close()

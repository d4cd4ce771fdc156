"""What leaves the site of a span: names and numbers, and nothing that a person wrote.

Instrumentation of other packages adds attributes of its own, and the messages of exceptions. So what is sent is a list
of names that are known to be harmless, whoever set them.
"""

from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanContext, Status

KEPT = frozenset(
    {
        "error.type",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "url.scheme",
        "gen_ai.operation.name",
        "gen_ai.provider.name",
        "gen_ai.request.model",
        "gen_ai.request.stream",
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "celery.action",
        "celery.state",
        "celery.task_name",
        "messaging.message.id",
        "adapter_portal.adapter.version",
        "adapter_portal.endpoint",
        "adapter_portal.job.attempt",
        "adapter_portal.job.id",
        "adapter_portal.job.kind",
        "adapter_portal.job.state",
        "adapter_portal.request.id",
        "adapter_portal.route.by",
        "adapter_portal.tenant.id",
    }
)


class DiscreetExporter(SpanExporter):
    """Passes on what is KEPT of each span to `exporter`."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([_discreet(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _discreet(span: ReadableSpan) -> ReadableSpan:
    """Without events, links, the status's text and the state that a caller sent along with its trace."""
    attributes = {name: value for name, value in (span.attributes or {}).items() if name in KEPT}
    for event in span.events:
        if event.name == "exception" and event.attributes:
            attributes.setdefault("error.type", event.attributes["exception.type"])
    return ReadableSpan(
        name=span.name,
        context=_bare(span.context),
        parent=_bare(span.parent),
        resource=span.resource,
        attributes=attributes,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _bare(context: SpanContext | None) -> SpanContext | None:
    if context is None:
        return None
    return SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags)

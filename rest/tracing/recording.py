"""Spans that are recorded, by OpenTelemetry's SDK."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from rest.tracing.spans import TRACEPARENT, Attributes, Kind, Span, Spans

CLOSE_SECONDS = 3.0

_format = TraceContextTextMapPropagator()


class RecordedSpan(Span):
    """One of the SDK's."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:  # type: ignore[override]
        carrier: dict[str, str] = {}
        _format.inject(carrier, context=trace.set_span_in_context(self._span))
        return carrier.get(TRACEPARENT, "")

    def tell(self, attributes: Attributes) -> None:
        self._span.set_attributes(attributes)

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def fail(self, error_type: str) -> None:
        self._span.set_attribute("error.type", error_type)
        self._span.set_status(trace.StatusCode.ERROR)

    def end(self) -> None:
        self._span.end()


class RecordedSpans(Spans):
    """Those of one provider, which says where they go."""

    are_recorded = True

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("adapter_portal")

    @property
    def current(self) -> Span:
        return RecordedSpan(trace.get_current_span())

    @contextmanager
    def within(
        self, name: str, *, kind: Kind = Kind.INTERNAL, attributes: Attributes | None = None, traceparent: str = ""
    ) -> Iterator[Span]:
        with self._tracer.start_as_current_span(
            name,
            context=_caller(traceparent) if kind is Kind.SERVER else None,
            kind=trace.SpanKind[kind.value],
            attributes=attributes,
            # Messages of exceptions hold what people wrote.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            recorded = RecordedSpan(span)
            try:
                yield recorded
            except BaseException as error:
                recorded.fail(type(error).__qualname__)
                raise

    def begin(self, name: str, *, kind: Kind, attributes: Attributes | None = None) -> Span:
        return RecordedSpan(self._tracer.start_span(name, kind=trace.SpanKind[kind.value], attributes=attributes))

    def close(self) -> None:
        # The SDK waits for its exporter for half a minute.
        thread = threading.Thread(target=self._provider.shutdown, daemon=True)
        thread.start()
        thread.join(CLOSE_SECONDS)


def _caller(traceparent: str) -> Context:
    """What a caller's header names; nothing where it is missing or malformed, never what this thread did before."""
    return _format.extract({TRACEPARENT: traceparent}, context=Context())

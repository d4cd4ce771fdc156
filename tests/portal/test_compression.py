"""What is compressed on its way, and what must not be."""

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import RequestFactory

from portal.middleware import CompressionMiddleware

TEXT = b"text " * 1000


def passed(response: HttpResponseBase) -> HttpResponseBase:
    request = RequestFactory().get("/", headers={"Accept-Encoding": "gzip"})
    return CompressionMiddleware(lambda _request: response)(request)  # type: ignore[return-value]


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/json", "application/problem+json"])
def test_pages_and_documents_are(kind: str) -> None:
    assert passed(HttpResponse(TEXT, content_type=kind)).headers["Content-Encoding"] == "gzip"


@pytest.mark.parametrize(
    "response",
    [
        HttpResponse(TEXT, content_type="text/event-stream"),
        StreamingHttpResponse(iter([TEXT]), content_type="text/event-stream"),
        StreamingHttpResponse(iter([TEXT]), content_type="application/json"),
        HttpResponse(TEXT, content_type="application/gzip"),
    ],
    ids=["events", "streamed events", "streamed", "a package"],
)
def test_events_and_downloads_are_not(response: HttpResponseBase) -> None:
    assert "Content-Encoding" not in passed(response).headers

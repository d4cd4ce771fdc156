"""`/metrics`, for Prometheus."""

import hmac

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from portal.telemetry.families import DatabaseCollector
from portal.telemetry.requests import request_times


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The site's figures, for whoever sends METRICS_TOKEN. Without that setting there is no such page."""
    if not settings.METRICS_TOKEN:
        raise Http404
    sent = request.headers.get("Authorization", "")
    if not hmac.compare_digest(sent.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()):
        return HttpResponse(
            "Send the token.\n", status=401, headers={"WWW-Authenticate": "Bearer"}, content_type="text/plain"
        )
    database = CollectorRegistry()
    database.register(DatabaseCollector())
    content = generate_latest(database) + generate_latest(request_times())
    return HttpResponse(content, content_type=CONTENT_TYPE_LATEST)

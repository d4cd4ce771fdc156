"""The REST API under /api/v1/: the routes of every app, the OpenAPI document and its page."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import APIRootView, DefaultRouter

import adapters.api
import corpora.api
import corpora.uploads.api
import evaluations.api
import jobs.api
import metering.api
import metering.focus.api
import metering.lifetime.api
import serving.api
import tenants.webhooks.api
from evaluations.gates.api import SigningKeyView


class Root(APIRootView):
    """The addresses of the lists."""

    reads = None


router = DefaultRouter()
router.APIRootView = Root
# One address each: actions take no `format`, so a second one that ends in `.json` would fail.
router.include_format_suffixes = False
for app in (
    corpora.api,
    corpora.uploads.api,
    adapters.api,
    jobs.api,
    evaluations.api,
    serving.api,
    metering.api,
    metering.lifetime.api,
    tenants.webhooks.api,
    metering.focus.api,
):
    router.registry.extend(app.router.registry)

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="openapi"),
    # The split view serves its script from a separate URL, as the content security policy requires.
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="openapi"), name="api-docs"),
    path("signing-key/", SigningKeyView.as_view(), name="signing-key"),
    path("", include(router.urls)),
]

"""The site's URLs."""

from django.urls import include, path

urlpatterns = [
    path("", include("portal.pages")),
    path("", include("tenants.urls")),
    path("jobs/", include("jobs.urls")),
    path("datasets/", include("corpora.urls")),
    path("adapters/", include("adapters.urls")),
    path("evaluations/", include("evaluations.urls")),
    path("serving/", include("serving.urls")),
    path("operator/endpoints/", include("serving.operator.urls")),
    path("operator/base-models/", include("adapters.operator.urls")),
    path("operator/prices/", include("metering.prices.urls")),
    path("operator/", include("metering.spend.urls")),
    path("operator/reconciliation/", include("metering.reconciliation.urls")),
    path("", include("metering.focus.urls")),
    path("operator/statements/", include("metering.statements.operator_urls")),
    path("usage/", include("metering.urls")),
    path("usage/budgets/", include("metering.budgets.urls")),
    path("usage/alerts/", include("metering.alerts.urls")),
    path("api/v1/", include("portal.api")),
    path("v1/organization/", include("metering.openai.urls")),
]

handler400 = "portal.error_pages.bad_request"
handler404 = "portal.error_pages.not_found"
handler500 = "portal.error_pages.server_error"

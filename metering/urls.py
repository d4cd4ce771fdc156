"""Addresses of metering."""

from django.urls import include, path

from metering import views
from metering.lifetime import views as lifetime

app_name = "metering"
urlpatterns = [
    path("", views.usage, name="usage"),
    path("adapters/", lifetime.adapters, name="adapters"),
    path("adapters/<uuid:adapter_id>/", views.adapter, name="adapter"),
    path("requests/", views.requests, name="requests"),
    path("costs.csv", views.costs, name="costs"),
    path("statements/", include("metering.statements.urls")),
]

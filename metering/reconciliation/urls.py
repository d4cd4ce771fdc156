"""Addresses of the operator's page of bills."""

from django.urls import path

from metering.reconciliation import views

app_name = "reconciliation"
urlpatterns = [
    path("", views.index, name="list"),
    path("import/", views.import_files, name="import"),
]

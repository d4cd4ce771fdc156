"""Addresses of files in FOCUS."""

from django.urls import path

from metering.focus import views

app_name = "focus"
urlpatterns = [
    path("usage/focus/", views.charges, name="charges"),
    path("usage/focus/unknown/", views.unknown, name="unknown"),
    path("usage/focus/metadata/", views.metadata, name="metadata"),
    path("operator/focus/", views.charges_of_all, name="all-charges"),
    path("operator/focus/unknown/", views.unknown_of_all, name="all-unknown"),
    path("operator/focus/metadata/", views.metadata_of_all, name="all-metadata"),
]

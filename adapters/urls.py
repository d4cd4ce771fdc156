"""Addresses of adapters."""

from django.urls import path

from adapters import views

app_name = "adapters"
urlpatterns = [
    path("", views.index, name="list"),
    path("train/", views.train, name="train"),
    path("train/estimate/", views.estimate, name="estimate"),
    path("<uuid:adapter_id>/", views.detail, name="detail"),
    path("<uuid:adapter_id>/live/", views.live, name="live"),
    path("versions/<uuid:version_id>/", views.version, name="version"),
    path("versions/<uuid:version_id>/package/", views.package, name="package"),
]

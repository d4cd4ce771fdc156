"""Addresses of corpora."""

from django.urls import path

from corpora import views

app_name = "corpora"
urlpatterns = [
    path("", views.index, name="list"),
    path("upload/", views.upload, name="upload"),
    path("<uuid:dataset_id>/", views.detail, name="detail"),
    path("versions/<uuid:version_id>/", views.version, name="version"),
    path("versions/<uuid:version_id>/live/", views.version_live, name="version-live"),
]

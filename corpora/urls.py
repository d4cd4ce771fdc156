"""URLs of the pages of datasets, uploads and versions."""

from django.urls import path

from corpora.datasets import views
from corpora.uploads import views as upload_views
from corpora.versions import views as version_views

app_name = "corpora"
urlpatterns = [
    path("", views.index, name="list"),
    path("upload/", upload_views.upload, name="upload"),
    path("uploads/<uuid:upload_id>/", upload_views.upload_format, name="upload-format"),
    path("uploads/<uuid:upload_id>/live/", upload_views.upload_live, name="upload-live"),
    path("uploads/<uuid:upload_id>/cancel/", upload_views.upload_cancel, name="upload-cancel"),
    path("<uuid:dataset_id>/", views.detail, name="detail"),
    path("<uuid:dataset_id>/edit/", views.edit, name="edit"),
    path("<uuid:dataset_id>/delete/", views.delete, name="delete"),
    path("versions/<uuid:version_id>/", version_views.version, name="version"),
    path("versions/<uuid:version_id>/live/", version_views.version_live, name="version-live"),
    path("versions/<uuid:version_id>/row/", version_views.row, name="row"),
    path("versions/<uuid:version_id>/export/", version_views.export, name="export"),
    path("versions/<uuid:version_id>/recheck/", version_views.recheck, name="recheck"),
    path("versions/<uuid:version_id>/evaluation-set/", version_views.mark, name="evaluation-set"),
    path("versions/<uuid:version_id>/keep-personal-data/", version_views.keep, name="keep-personal-data"),
    path("versions/<uuid:version_id>/delete/", version_views.delete, name="version-delete"),
]

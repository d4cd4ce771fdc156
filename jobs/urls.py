"""URLs of jobs."""

from django.urls import path

from jobs import views

app_name = "jobs"
urlpatterns = [
    path("", views.index, name="list"),
    path("<uuid:job_id>/", views.detail, name="detail"),
    path("<uuid:job_id>/live/", views.live, name="live"),
    path("<uuid:job_id>/stop/", views.stop, name="stop"),
]

"""Addresses of serving."""

from django.urls import path

from serving import views

app_name = "serving"
urlpatterns = [
    path("", views.endpoint, name="endpoint"),
    path("promote/<uuid:version_id>/", views.promote, name="promote"),
    path("routes/<uuid:route_id>/roll-back/", views.roll_back, name="roll-back"),
    path("playground/", views.playground, name="playground"),
    path("playground/ask/", views.ask, name="ask"),
]

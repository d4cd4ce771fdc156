"""Addresses of the operator's pages of costs, and of what an endpoint was used for."""

from django.urls import path

from metering.spend import views

app_name = "spend"
urlpatterns = [
    path("costs/", views.index, name="index"),
    path("endpoints/<uuid:endpoint_id>/use/", views.use, name="use"),
]

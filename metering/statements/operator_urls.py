"""Addresses of the operator's statements."""

from django.urls import path

from metering.statements import operator_views as views

app_name = "statements"
urlpatterns = [
    path("", views.index, name="list"),
    path("close/", views.close, name="close"),
    path("<uuid:tenant_id>/adjust/", views.adjust, name="adjust"),
]

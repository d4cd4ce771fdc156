"""Addresses of the operator's base models."""

from django.urls import path

from adapters.operator import views

app_name = "base-models"
urlpatterns = [
    path("", views.index, name="list"),
    path("new/", views.new, name="new"),
    path("<uuid:base_model_id>/", views.detail, name="detail"),
    path("<uuid:base_model_id>/licence/", views.licence, name="licence"),
    path("<uuid:base_model_id>/change/", views.change, name="change"),
    path("<uuid:base_model_id>/check/", views.check, name="check"),
    path("<uuid:base_model_id>/remove/", views.remove, name="remove"),
    path("work/<uuid:work_id>/stop/", views.stop, name="stop"),
    path("work/<uuid:work_id>/again/", views.again, name="again"),
    path("work/<uuid:work_id>/discard/", views.discard, name="discard"),
]

"""Addresses of the operator's pages."""

from django.urls import path

from serving.operator import capacity, views

app_name = "operator"
urlpatterns = [
    path("", views.index, name="endpoints"),
    path("new/", views.new, name="new-endpoint"),
    path("<uuid:endpoint_id>/", views.endpoint, name="endpoint"),
    path("<uuid:endpoint_id>/adapters/", views.adapters, name="adapters"),
    path("<uuid:endpoint_id>/capacity/", capacity.capacity, name="capacity"),
    path("<uuid:endpoint_id>/recommend/", capacity.recommend, name="recommend"),
    path("<uuid:endpoint_id>/pin/", capacity.pin, name="pin-adapter"),
    path("<uuid:endpoint_id>/health/", views.health, name="health"),
    path("<uuid:endpoint_id>/change/", views.change, name="change-endpoint"),
    path("<uuid:endpoint_id>/create-again/", views.create_again, name="create-endpoint-again"),
    path("<uuid:endpoint_id>/default/", views.default, name="make-endpoint-default"),
    path("<uuid:endpoint_id>/delete/", views.delete, name="delete-endpoint"),
    path("<uuid:endpoint_id>/move/", views.move, name="move-tenant"),
]

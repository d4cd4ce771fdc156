"""Addresses of the pages about webhooks."""

from django.urls import path

from tenants.webhooks import views

app_name = "webhooks"
urlpatterns = [
    path("", views.index, name="list"),
    path("<uuid:webhook_id>/", views.webhook, name="webhook"),
    path("<uuid:webhook_id>/secret/", views.secret, name="secret"),
    path("<uuid:webhook_id>/pause/", views.pause, name="pause"),
    path("<uuid:webhook_id>/test/", views.test, name="test"),
    path("<uuid:webhook_id>/delete/", views.delete, name="delete"),
    path("deliveries/<uuid:delivery_id>/send/", views.again, name="again"),
]

"""Addresses of alerts."""

from django.urls import path

from metering.alerts import views

app_name = "alerts"
urlpatterns = [
    path("", views.index, name="list"),
    path("<uuid:alert_id>/acknowledge/", views.acknowledge, name="acknowledge"),
    path("<uuid:alert_id>/snooze/", views.snooze, name="snooze"),
    path("<uuid:alert_id>/reopen/", views.reopen, name="reopen"),
]

"""Addresses of metering."""

from django.urls import include, path

from metering import views
from metering.alerts import views as alerts
from metering.budgets import views as budgets
from metering.lifetime import views as lifetime

app_name = "metering"
urlpatterns = [
    path("", views.usage, name="usage"),
    path("adapters/", lifetime.adapters, name="adapters"),
    path("adapters/<uuid:adapter_id>/", views.adapter, name="adapter"),
    path("requests/", views.requests, name="requests"),
    path("budgets/", budgets.index, name="budgets"),
    path("budgets/new/", budgets.new, name="new-budget"),
    path("budgets/<uuid:budget_id>/", budgets.budget, name="budget"),
    path("budgets/<uuid:budget_id>/delete/", budgets.delete, name="delete-budget"),
    path("alerts/", alerts.index, name="alerts"),
    path("alerts/<uuid:alert_id>/acknowledge/", alerts.acknowledge_one, name="acknowledge-alert"),
    path("alerts/<uuid:alert_id>/snooze/", alerts.snooze_one, name="snooze-alert"),
    path("alerts/<uuid:alert_id>/reopen/", alerts.reopen_one, name="reopen-alert"),
    path("costs.csv", views.costs, name="costs"),
    path("statements/", include("metering.statements.urls")),
]

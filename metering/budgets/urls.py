"""Addresses of budgets."""

from django.urls import path

from metering.budgets import views

app_name = "budgets"
urlpatterns = [
    path("", views.index, name="list"),
    path("new/", views.new, name="new"),
    path("<uuid:budget_id>/", views.budget, name="change"),
    path("<uuid:budget_id>/delete/", views.delete, name="delete"),
]

"""Addresses under `/v1/organization/`. OpenAI's have no stroke at the end."""

from django.urls import path

from metering.openai import views

urlpatterns = [
    path("usage/completions", views.CompletionsView.as_view(), name="openai-completions"),
    path("costs", views.CostsView.as_view(), name="openai-costs"),
]

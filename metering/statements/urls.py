"""Addresses of an organisation's statements, below those of usage."""

from django.urls import path

from metering.statements import views

urlpatterns = [
    path("", views.index, name="statements"),
    path("<str:month>.csv", views.as_csv, name="statement-csv"),
    path("<str:month>.pdf", views.as_pdf, name="statement-pdf"),
    path("<str:month>/", views.statement, name="statement"),
]

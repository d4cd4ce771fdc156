"""Address of the operator's page of costs."""

from django.urls import path

from metering.spend import views

app_name = "spend"
urlpatterns = [path("", views.index, name="index")]

"""URLs of the portal's own pages."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from portal import views
from portal.telemetry.views import metrics

urlpatterns = [
    path("", views.overview, name="overview"),
    path("sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("switch-tenant/", views.switch_tenant, name="switch-tenant"),
    path("keys/", views.keys, name="keys"),
    path("keys/<uuid:key_id>/revoke/", views.revoke_key, name="revoke-key"),
    path("health/", views.health, name="health"),
    path("metrics", metrics, name="metrics"),
]

"""Addresses of the pages about members, passwords and webhooks."""

from django.urls import include, path
from django.views.decorators.http import require_http_methods

from tenants.people import passwords, views

urlpatterns = [
    path("webhooks/", include("tenants.webhooks.urls")),
    path("members/", views.members, name="members"),
    path("members/<uuid:membership_id>/role/", views.member_role, name="member-role"),
    path("members/<uuid:membership_id>/remove/", views.member_remove, name="member-remove"),
    path("members/invitations/<uuid:invitation_id>/cancel/", views.invitation_cancel, name="invitation-cancel"),
    path("join/<str:token>/", views.join, name="join"),
    path("password/", passwords.ChangePassword.as_view(), name="password-change"),
    path("password/forgotten/", passwords.ForgottenPassword.as_view(), name="password-forgotten"),
    path(
        "password/<uidb64>/<token>/",
        require_http_methods(["GET", "HEAD", "POST"])(passwords.SetPassword.as_view()),
        name="password-set",
    ),
]

"""Changing a password, and setting a new one by a one-time link."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import PasswordChangeForm, PasswordResetForm, SetPasswordForm
from django.contrib.auth.tokens import default_token_generator
from django.contrib.auth.views import PasswordChangeView, PasswordResetConfirmView, PasswordResetView
from django.http import HttpResponse
from django.urls import reverse, reverse_lazy
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from tenants.models import User


class ChangePassword(PasswordChangeView):
    """For who is signed in and knows the old one. Their other sessions end."""

    http_method_names = ("get", "head", "post", "options")
    template_name = "tenants/people/password_change.html"
    success_url = reverse_lazy("overview")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        messages.success(self.request, "Password changed. You are signed out everywhere else.")
        return super().form_valid(form)


class ForgottenPassword(PasswordResetView):
    """Sends a link to the address if somebody has an account with it; the answer is the same either way."""

    http_method_names = ("get", "head", "post", "options")
    template_name = "tenants/people/password_forgotten.html"
    email_template_name = "tenants/people/password_email.txt"
    subject_template_name = "tenants/people/password_subject.txt"
    success_url = reverse_lazy("sign-in")
    form_class = PasswordResetForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(sends_email=settings.SENDS_EMAIL, **kwargs)

    def form_valid(self, form: PasswordResetForm) -> HttpResponse:
        messages.info(self.request, "If an account exists for that address, we have sent a link to it.")
        return super().form_valid(form)


class SetPassword(PasswordResetConfirmView):
    """Where the one-time link leads."""

    template_name = "tenants/people/password_set.html"
    success_url = reverse_lazy("sign-in")

    def form_valid(self, form: SetPasswordForm[User]) -> HttpResponse:
        messages.success(self.request, "Password set. Sign in with it.")
        return super().form_valid(form)


def password_link(user: User) -> str:
    """A link to set a new password, which works once and for PASSWORD_RESET_TIMEOUT seconds."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    site: str = settings.SITE_URL
    return site.rstrip("/") + reverse("password-set", args=[uid, default_token_generator.make_token(user)])

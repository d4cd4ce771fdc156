"""Forms about members."""

from django import forms
from django.contrib.auth.forms import SetPasswordForm
from django.core.exceptions import ValidationError

from rest.names import InvalidName, check_name
from tenants.models import User
from tenants.permissions import Role


class InviteForm(forms.Form):
    """Whom to invite, as what."""

    email = forms.EmailField(label="E-mail", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    role = forms.TypedChoiceField(
        choices=Role.choices,
        coerce=Role,
        initial=Role.MEMBER,
        help_text="Owners also manage members. Reviewers only grade answers.",
    )


class RoleForm(forms.Form):
    """A member's new role."""

    role = forms.TypedChoiceField(choices=Role.choices, coerce=Role)


class JoinForm(SetPasswordForm):  # type: ignore[type-arg]
    """Name and password of a person who is new to the site."""

    field_order = ("name", "new_password1", "new_password2")

    name = forms.CharField(label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))

    def clean_name(self) -> str:
        try:
            return check_name(self.cleaned_data["name"])
        except InvalidName as error:
            raise ValidationError(error.text) from None

    def save(self, commit: bool = True) -> User:
        self.user.name = self.cleaned_data["name"]
        user: User = super().save(commit)
        return user

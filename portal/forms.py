"""Forms of the portal's own pages."""

from django import forms
from django.contrib.auth.forms import AuthenticationForm


class SignInForm(AuthenticationForm):
    """Sign in with an e-mail address as the user name."""

    username = forms.EmailField(
        label="E-mail", widget=forms.EmailInput(attrs={"autofocus": True, "autocomplete": "username"})
    )

    def clean_username(self) -> str:
        """Normalise the address, so that its failed attempts are counted together."""
        return str(self.cleaned_data["username"]).lower()


class KeyForm(forms.Form):
    """A new API key."""

    name = forms.CharField(max_length=80, help_text="Where the key will be used, such as “ticket system, production”.")

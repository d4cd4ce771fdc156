"""The form of a judge."""

from decimal import Decimal
from typing import Any

from django import forms

from evaluations.judges.settings import HIGHEST_PRICE, MAX_SAMPLES
from evaluations.models import JudgeKind


class JudgeForm(forms.Form):
    """Settings of a judge. The secret is never filled in; `forget_secret` removes it."""

    name = forms.CharField(max_length=80, help_text="Shown beside the grades, such as “GPT, strict”.")
    kind = forms.ChoiceField(
        label="Where the model runs",
        choices=JudgeKind.choices,
        help_text="OpenAI, Azure OpenAI, vLLM, Ollama and llama.cpp are OpenAI-compatible servers.",
    )
    model = forms.CharField(
        label="Model",
        max_length=200,
        help_text="The ID that the provider gives it, or the model ID of a live adapter of yours.",
    )
    address = forms.CharField(
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "https://api.openai.com/v1"}),
        help_text="For an OpenAI-compatible server. It usually ends in /v1.",
    )
    api_version = forms.CharField(label="API version", max_length=32, required=False, help_text="For Azure OpenAI.")
    region = forms.CharField(
        max_length=32,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "eu-west-1"}),
        help_text="For Amazon Bedrock.",
    )
    secret = forms.CharField(
        label="API key",
        max_length=4000,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Stored encrypted, sent only to this judge’s server, and never shown again.",
    )
    temperature = forms.FloatField(
        min_value=0, max_value=2, initial=0, help_text="0 gives the same grade each time, as far as the model allows."
    )
    samples = forms.IntegerField(
        min_value=1,
        max_value=MAX_SAMPLES,
        initial=3,
        help_text="Replies to average where the server gives no token probabilities and the temperature is above 0.",
    )
    price_in = forms.DecimalField(
        label="Price of input, US$ per million tokens",
        min_value=Decimal(0),
        max_value=HIGHEST_PRICE,
        max_digits=10,
        decimal_places=4,
        required=False,
    )
    price_out = forms.DecimalField(
        label="Price of output, US$ per million tokens",
        min_value=Decimal(0),
        max_value=HIGHEST_PRICE,
        max_digits=10,
        decimal_places=4,
        required=False,
    )
    requests_per_minute = forms.IntegerField(
        label="Most requests per minute", min_value=1, max_value=100_000, required=False
    )
    is_tested_automatically = forms.BooleanField(
        label="Test this judge automatically",
        required=False,
        initial=True,
        help_text="After each change and once a month. What a test costs is stated on the judge’s page.",
    )
    forget_secret = forms.BooleanField(label="Forget the stored API key", required=False)

    def __init__(self, *args: Any, stored_for: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not stored_for:
            del self.fields["forget_secret"]
        else:
            self.fields[
                "secret"
            ].help_text = (
                f"A key is stored for {stored_for}. Leave this empty to keep it. Moving to another server forgets it."
            )

    def settings(self) -> dict[str, Any]:
        """Arguments of the services. None as `secret` keeps the stored one."""
        values = dict(self.cleaned_data)
        forget = values.pop("forget_secret", False)
        values["secret"] = values["secret"] or ("" if forget else None)
        return values

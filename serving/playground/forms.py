"""The playground's form."""

from typing import Any

from django import forms

from serving.playground.queries import Offered

MAX_PROMPT = 20_000


class AskForm(forms.Form):
    """One question to an alias and to its base. `example` is the held-out row that the prompt came from, if any."""

    # A browser that kept the choice through a reload would show it beside the rows of another adapter.
    alias = forms.ChoiceField(label="Adapter", widget=forms.Select(attrs={"autocomplete": "off"}))
    prompt = forms.CharField(
        label="Prompt", max_length=MAX_PROMPT, strip=False, widget=forms.Textarea(attrs={"rows": 6})
    )
    max_tokens = forms.IntegerField(
        label="Maximum length",
        min_value=1,
        max_value=1024,
        initial=128,
        help_text="In tokens, which are parts of words.",
    )
    example = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, offered: list[Offered], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        alias = self.fields["alias"]
        assert isinstance(alias, forms.ChoiceField)  # noqa: S101 - for the type checker
        alias.choices = [(adapter.alias, f"{adapter.alias} (v{adapter.number})") for adapter in offered]

    def clean_prompt(self) -> str:
        prompt: str = self.cleaned_data["prompt"]
        if not prompt.strip():
            raise forms.ValidationError("Enter a prompt.")
        # Browsers send line ends as CR LF; models were trained on LF.
        return prompt.replace("\r\n", "\n")

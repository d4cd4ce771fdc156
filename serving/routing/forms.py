"""The fields of a router beside its rows."""

from typing import Any

from django import forms

from evaluations.runs.judgings.forms import judges_to_choose
from serving.routing.classifiers import classifiers
from serving.routing.document import FLOOR

MODELS = {"list": "models", "autocomplete": "off", "spellcheck": "false"}
"""Attributes of a field that offers the models of the page's list."""


class NameForm(forms.Form):
    """What a new router is called."""

    name = forms.CharField(
        label="Model ID",
        max_length=60,
        help_text="What programs ask for. Lower-case letters, digits and hyphens. It can’t be changed later.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )


class RestForm(forms.Form):
    """What happens to requests that no rule fits."""

    default = forms.CharField(
        label="Default model",
        max_length=80,
        required=False,
        help_text="Answers what nothing else fits. Leave it empty to refuse such requests.",
        widget=forms.TextInput(attrs=MODELS),
    )
    classifier = forms.ChoiceField(required=False, help_text="Chooses a model where no rule fits.")
    judge = forms.ChoiceField(required=False, help_text="Whom to ask. Its calls cost money.")
    floor = forms.FloatField(
        label="Lowest confidence",
        min_value=0,
        max_value=1,
        initial=FLOOR,
        help_text="From 0 to 1. Below it, the default model answers.",
        widget=forms.NumberInput(attrs={"step": "0.05"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(alias, classifiers[alias].label) for alias in classifiers]
        for name, choices in (("classifier", offered), ("judge", judges_to_choose())):
            field: Any = self.fields[name]
            field.choices = [("", "None"), *choices]


class PromptsForm(forms.Form):
    """Prompts to try."""

    prompts = forms.CharField(
        label="Prompts, one per line",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="Shows where each would go with the rules above, saved or not. No model answers them.",
    )

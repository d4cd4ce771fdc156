"""Forms of the operator's pages of base models."""

from typing import Any

from django import forms

from adapters.base_models.clouds import CLOUD
from adapters.models import BaseModel
from rest.errors import PortalError
from rest.names import check_name


class FactsForm(forms.Form):
    """What the operator says of a base model."""

    title = forms.CharField(
        max_length=120, required=False, help_text="What pages call it. Empty: its own, or its name."
    )
    licence = forms.CharField(
        max_length=200,
        required=False,
        help_text="Such as Apache-2.0, or in words. Empty: what its files or its source say.",
    )
    description = forms.CharField(
        max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text="What tenants read of it."
    )
    sagemaker_uri = forms.CharField(
        max_length=300,
        required=False,
        label="Location for SageMaker",
        help_text="A folder in S3 with the same files, such as s3://BUCKET/base-models/NAME/.",
    )
    training_instance = forms.CharField(
        max_length=40,
        required=False,
        label="Instance for training",
        help_text="Such as ml.g6e.xlarge. Empty: the site’s.",
    )
    serving_instance = forms.CharField(
        max_length=40, required=False, label="Instance for serving", help_text="Of new endpoints. Empty: the site’s."
    )

    def clean_title(self) -> str:
        return self._one_line("title")

    def clean_licence(self) -> str:
        return self._one_line("licence")

    def _one_line(self, field: str) -> str:
        try:
            return check_name(self.cleaned_data[field], field=field)
        except PortalError as error:
            raise forms.ValidationError(error.text) from None


class AddForm(FactsForm):
    """A new base model."""

    folder = forms.CharField(max_length=500, label="Source")
    name = forms.CharField(
        max_length=50,
        help_text="What callers send as model: letters, digits, hyphens and underscores. It can’t be changed.",
    )
    field_order = ("folder", "name")

    @property
    def facts(self) -> dict[str, str]:
        """Columns of the base model."""
        return {name: self.cleaned_data[name] for name in FactsForm.base_fields}


class ChangeForm(FactsForm):
    """What can be changed of one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["title"].help_text = "What pages call it. Empty: its name."
        self.fields["licence"].help_text = "Such as Apache-2.0, or in words. Empty: not stated."

    @classmethod
    def of(cls, base_model: BaseModel) -> "ChangeForm":
        """The form filled in with what it has."""
        return cls(initial={name: getattr(base_model, name) for name in ("title", "licence", "description", *CLOUD)})

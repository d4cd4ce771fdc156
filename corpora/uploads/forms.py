"""The upload form for browsers without JavaScript."""

from typing import Any

from django import forms

from corpora.models import Dataset
from corpora.uploads.services import name_after


class UploadForm(forms.Form):
    """A file and its dataset. A new dataset without a name is named after the file."""

    file = forms.FileField(
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".jsonl,.json,.csv,.tsv,.txt,.parquet,.gz"}),
    )
    dataset = forms.ModelChoiceField(
        Dataset._base_manager.none(),
        required=False,
        empty_label="New dataset",
        label="Dataset",
        help_text="In an existing dataset, the file becomes the next version.",
    )
    name = forms.CharField(
        max_length=120,
        required=False,
        label="Name of the new dataset",
        help_text="Leave empty to use the name of the file.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["dataset"].queryset = Dataset.objects.order_by("name")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not cleaned.get("name") and cleaned.get("file"):
            cleaned["name"] = name_after(cleaned["file"].name)
        return cleaned

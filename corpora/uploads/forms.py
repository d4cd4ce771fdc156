"""The upload form for browsers without JavaScript."""

from typing import Any

from django import forms

from corpora.uploads.dataset_field import DatasetField
from corpora.uploads.services import name_after


class UploadForm(forms.Form):
    """A file and its dataset. A new dataset without a name is named after the file."""

    file = forms.FileField(
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".jsonl,.ndjson,.json,.csv,.tsv,.txt,.parquet,.gz,.zst,.bz2,.zip"}),
    )
    dataset = DatasetField()
    name = forms.CharField(
        max_length=120,
        required=False,
        label="Name of the new dataset",
        help_text="Leave empty to use the name of the file.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.data.get("dataset") or self.initial.get("dataset")
        self.fields["dataset"].offer(chosen)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not cleaned.get("name") and cleaned.get("file"):
            cleaned["name"] = name_after(cleaned["file"].name)
        return cleaned

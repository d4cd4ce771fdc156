"""The form of a bill."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile


class _SeveralFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class _BillField(forms.FileField):
    widget = _SeveralFiles

    def clean(self, data: Any, initial: Any = None) -> "list[UploadedFile[Any]]":
        """All files that were chosen, each checked."""
        files = data if isinstance(data, list) else [data]
        return [super(_BillField, self).clean(one, initial) for one in files or [None]]


class BillForm(forms.Form):
    """All files of one bill."""

    bill = _BillField(
        label="Files of the bill",
        help_text="AWS Cost and Usage Report or FOCUS export with resource IDs, as CSV, .csv.gz or Parquet. Choose all "
        "files of a month at once.",
    )

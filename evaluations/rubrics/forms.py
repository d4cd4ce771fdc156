"""Forms of a rubric: its document as YAML, and what its prompts are previewed on."""

from typing import Any

from django import forms

from corpora.models import DatasetVersion, VersionState
from evaluations.rubrics.document import MAX_BYTES


class RubricForm(forms.Form):
    document = forms.CharField(
        label="Rubric",
        max_length=MAX_BYTES,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 24, "class": "font-monospace", "spellcheck": "false"}),
        help_text="In YAML. Each criterion has a name, a description, a scale of two whole numbers, anchors that say "
        "what a grade means, a weight, and whether it is required. Instructions are Markdown.",
    )


OFFERED = 50
"""Dataset versions to choose from, newest first."""


class PreviewForm(forms.Form):
    """Without a dataset version, prompts are previewed on the built-in example."""

    dataset_version: "forms.ModelChoiceField[DatasetVersion]" = forms.ModelChoiceField(
        queryset=None, label="Show on", required=False, empty_label="A built-in example"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ready = (
            DatasetVersion.objects.filter(state=VersionState.READY)
            .select_related("dataset")
            .defer("problems", "profile")
        )
        newest = ready.order_by("-created_at").values("id")[:OFFERED]
        field: Any = self.fields["dataset_version"]
        field.queryset = ready.filter(id__in=newest).order_by("-created_at")

"""The form of a rubric: its document as YAML."""

from django import forms

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

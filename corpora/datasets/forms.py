"""The form for a dataset's name and description."""

from django import forms


class DatasetForm(forms.Form):
    """The name and description of a dataset."""

    name = forms.CharField(max_length=120)
    description = forms.CharField(
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Say where the rows come from and what an adapter should learn from them.",
    )

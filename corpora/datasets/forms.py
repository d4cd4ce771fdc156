"""The form that renames and describes a dataset."""

from django import forms


class DatasetForm(forms.Form):
    """What people call a dataset and say about it."""

    name = forms.CharField(max_length=120)
    description = forms.CharField(
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Where the rows come from and what an adapter should learn from them.",
    )

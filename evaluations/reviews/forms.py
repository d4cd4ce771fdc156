"""A reviewer's grade."""

from django import forms

from evaluations.reviews.services import MAX_COMMENT

GRADES = (
    (1, "Wrong"),
    (2, "Poor"),
    (3, "Needs changes"),
    (4, "Good"),
    (5, "Just right"),
)


class GradeForm(forms.Form):
    """One answer's grade."""

    grade = forms.IntegerField(error_messages={"required": "Choose a grade from 1 to 5."})
    comment = forms.CharField(required=False, max_length=MAX_COMMENT, widget=forms.Textarea(attrs={"rows": 2}))

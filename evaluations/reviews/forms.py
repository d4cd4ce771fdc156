"""A reviewer's grade."""

from django import forms

from evaluations.reviews.queue.given import MAX_COMMENT

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
    # The service says what is too long, in the words that REST uses too.
    comment = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2, "maxlength": MAX_COMMENT}))

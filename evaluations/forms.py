"""Forms of evaluations: the filter of rows, and a reviewer's grade."""

from typing import Any

from django import forms

from evaluations.models import EvaluationRun
from evaluations.scoring import ALL
from evaluations.services import MAX_COMMENT

GRADES = (
    (1, "Wrong"),
    (2, "Poor"),
    (3, "Needs changes"),
    (4, "Good"),
    (5, "Just right"),
)


class RowFilter(forms.Form):
    """Which rows the table shows. A value it does not know shows all."""

    show = forms.ChoiceField(
        choices=[("all", "All rows"), ("differs", "Base and adapter differ"), ("wrong", "Adapter not as expected")],
        required=False,
    )
    slice = forms.ChoiceField(required=False)

    def __init__(self, run: EvaluationRun, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = sorted(name for name in run.summary if name != ALL)
        self.fields["slice"] = forms.ChoiceField(
            choices=[("", "All slices"), *((name, name) for name in names)], required=False
        )

    def chosen(self) -> dict[str, str]:
        """Arguments of `queries.filtered_items`."""
        self.is_valid()
        values = getattr(self, "cleaned_data", {})
        return {"show": values.get("show") or "all", "slice_name": values.get("slice") or ""}


class GradeForm(forms.Form):
    """One answer's grade."""

    grade = forms.IntegerField(error_messages={"required": "Choose a grade from 1 to 5."})
    comment = forms.CharField(required=False, max_length=MAX_COMMENT, widget=forms.Textarea(attrs={"rows": 2}))

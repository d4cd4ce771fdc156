"""The filter of an evaluation's rows."""

from typing import Any

from django import forms

from evaluations.models import EvaluationRun
from evaluations.runs.held_out import ALL


class RowFilter(forms.Form):
    """Which rows the table shows. An unknown value shows all."""

    show = forms.ChoiceField(
        choices=[
            ("all", "All rows"),
            ("worse", "Got worse"),
            ("better", "Got better"),
            ("differs", "Answers differ"),
            ("wrong", "Not as expected"),
            ("graded", "Graded by experts"),
            ("commented", "With experts’ comments"),
        ],
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

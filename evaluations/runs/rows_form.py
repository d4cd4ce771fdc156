"""What every form that starts an evaluation asks: on which rows, which outside models, and who judges."""

from typing import Any

from django import forms
from django.db.models import Q

from corpora.models import DatasetVersion
from evaluations.models import Judge
from evaluations.runs.judgings.forms import JudgingForm, arguments_of
from evaluations.runs.judgings.services import JudgingWanted
from evaluations.runs.stages.held_out import MOST_ROWS, USUAL_ROWS, rows_to_ask
from evaluations.runs.stages.outside import ANSWERING


class OutsideField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Labels each model with the judge whose model it is."""

    def label_from_instance(self, obj: Judge) -> str:
        return f"{obj.model} ({obj.name})"


class RowsField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Labels each dataset version with the rows that it has to ask."""

    def label_from_instance(self, obj: DatasetVersion) -> str:
        what = "evaluation set" if obj.is_evaluation_set else "held-out rows"
        return f"{obj}, {what} ({rows_to_ask(obj):,} rows)"


class RowsForm(forms.Form):
    """Offers all evaluation sets, and of the other dataset versions those that are `held_out`."""

    outside = OutsideField(
        label="Outside models",
        queryset=None,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Your judges’ models answer these rows too. Their providers may charge for it.",
    )
    alternatives = forms.BooleanField(
        label="Alternatives to training",
        required=False,
        initial=True,
        help_text="The same rows are also answered without training: by the base model with examples from the training "
        "rows, by a look-up of the most similar training row, and where answers are labels, by a classifier.",
    )
    dataset_version = RowsField(label="Rows", queryset=None, empty_label=None)
    rows = forms.IntegerField(
        label="Maximum number of rows",
        min_value=1,
        max_value=MOST_ROWS,
        initial=USUAL_ROWS,
        help_text="If there are more, the same random sample is used each time.",
    )

    def __init__(self, held_out: Q, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sets = DatasetVersion.objects.evaluation_sets() | DatasetVersion.objects.filter(held_out)
        rows: Any = self.fields["dataset_version"]
        rows.queryset = sets.select_related("dataset").defer("problems", "profile").order_by("-created_at")
        outside: Any = self.fields["outside"]
        outside.queryset = Judge.objects.filter(kind__in=ANSWERING)
        judging = JudgingForm()
        if judging.offered:
            self.fields |= {name: judging.fields[name] for name in ("judges", "rubric")}
            self.fields["judges"].required, self.fields["judges"].initial = False, []
        self.leave_out_empty("outside")

    def leave_out_empty(self, *names: str) -> None:
        """Leave out fields with nothing to choose."""
        for name in names:
            if not self.fields[name].queryset.exists():  # type: ignore[attr-defined]
                del self.fields[name]

    def arguments(self) -> dict[str, Any]:
        """Arguments of `services.start_evaluation`. Raises PortalError for a judge that cannot be asked."""
        values = dict(self.cleaned_data)
        judging = {"is_pairwise": False, "judges": values.pop("judges", []), "rubric": values.pop("rubric", "")}
        return {
            **values,
            "outside": list(values.get("outside", [])),
            "judging": JudgingWanted(**arguments_of(judging)) if judging["judges"] else None,
        }

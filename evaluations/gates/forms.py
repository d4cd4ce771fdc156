"""Forms of decisions and policies."""

from typing import Any

from django import forms

from adapters.models import AdapterVersion
from evaluations.gates.policies import MAX_BYTES
from evaluations.gates.services import MAX_REASON
from evaluations.models import EvaluationRun, EvaluationState


class PolicyForm(forms.Form):
    document = forms.CharField(
        label="Policy",
        max_length=MAX_BYTES,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "class": "font-monospace", "spellcheck": "false"}),
        help_text="In YAML, one condition a line. A change counts for decisions that are opened from then on.",
    )


class OpenForm(forms.Form):
    """What a decision rests on."""

    evaluation: "forms.ModelChoiceField[EvaluationRun]" = forms.ModelChoiceField(queryset=None, empty_label=None)
    leaves_out_leaks = forms.BooleanField(
        label="Leave out test rows that are much like training rows",
        required=False,
        initial=True,
        help_text="Results on such rows look better than they are.",
    )

    def __init__(self, version: AdapterVersion, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ready = EvaluationRun.objects.filter(version=version, state=EvaluationState.READY)
        field: Any = self.fields["evaluation"]
        field.queryset = ready.select_related("version__adapter", "dataset_version__dataset")
        field.label_from_instance = lambda run: f"{run.created_at:%d %b %Y, %H:%M}, on {run.dataset_version}"


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=MAX_REASON, widget=forms.Textarea(attrs={"rows": 3}))


class CommentForm(forms.Form):
    comment = forms.CharField(max_length=500, required=False)

"""Forms of decisions and policies."""

from typing import Any

from django import forms

from adapters.models import AdapterVersion
from evaluations.gates.policies import MAX_BYTES
from evaluations.gates.services import MAX_REASON
from evaluations.models import Decision, EvaluationRun, EvaluationState, ReviewRound


class PolicyForm(forms.Form):
    document = forms.CharField(
        label="Policy",
        max_length=MAX_BYTES,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 16, "class": "font-monospace", "spellcheck": "false", "wrap": "off"}),
        help_text="In YAML, one condition per line. A change counts for decisions opened after it.",
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

    round: "forms.ModelChoiceField[ReviewRound]" = forms.ModelChoiceField(
        queryset=None,
        label="Review round",
        required=False,
        empty_label="None",
        help_text="Experts’ reviews that count, if the policy asks for any. It can be chosen later.",
    )

    def __init__(self, version: AdapterVersion, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rounds: Any = self.fields["round"]
        rounds.queryset = ReviewRound.objects.filter(run__version=version, candidate__version=version).select_related(
            "run__version__adapter", "candidate", "run__dataset_version__dataset"
        )
        rounds.label_from_instance = lambda found: f"{found} of {found.run.created_at:%d %b %Y, %H:%M}"
        ready = EvaluationRun.objects.filter(version=version, state=EvaluationState.READY)
        field: Any = self.fields["evaluation"]
        field.queryset = ready.select_related("version__adapter", "dataset_version__dataset")
        self.has_evaluations = ready.exists()
        field.label_from_instance = lambda run: f"{run.created_at:%d %b %Y, %H:%M}, on {run.dataset_version}"


class RoundForm(forms.Form):
    """The review round of a decision that has none."""

    round: "forms.ModelChoiceField[ReviewRound]" = forms.ModelChoiceField(queryset=None)

    def __init__(self, decision: Decision, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["round"]
        field.queryset = ReviewRound.objects.filter(run=decision.run_id, candidate__version=decision.version_id)


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=MAX_REASON, widget=forms.Textarea(attrs={"rows": 3}))


class CommentForm(forms.Form):
    comment = forms.CharField(max_length=500, required=False)

"""The form that starts an evaluation: which models, and on which rows."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from adapters.models import AdapterVersion
from corpora.models import DatasetVersion
from evaluations.models import Judge
from evaluations.runs.contenders import MOST_MODELS, version_before
from evaluations.runs.judgings.forms import JudgingForm, arguments_of
from evaluations.runs.judgings.services import JudgingWanted
from evaluations.runs.stages.held_out import MOST_ROWS, USUAL_ROWS, rows_to_ask
from evaluations.runs.stages.outside import ANSWERING

OFFERED = 12
"""Versions to choose from: the newest of this adapter, then the newest of others."""


class VersionsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Labels each version with its rank and when it was trained."""

    def label_from_instance(self, obj: AdapterVersion) -> str:
        return f"{obj} (rank {obj.rank}, trained {obj.created_at:%-d %b %Y})"


class OutsideField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Labels each model with the judge whose model it is."""

    def label_from_instance(self, obj: Judge) -> str:
        return f"{obj.model} ({obj.name})"


class RowsField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Labels each dataset version with the rows that it has to ask."""

    def label_from_instance(self, obj: DatasetVersion) -> str:
        what = "evaluation set" if obj.is_evaluation_set else "held-out rows"
        return f"{obj}, {what} ({rows_to_ask(obj):,} rows)"


class StartForm(forms.Form):
    """Defaults: the base and the version before, on the rows held out from the version's dataset, without judges."""

    base = forms.BooleanField(label="Its base model", required=False, initial=True)
    versions = VersionsField(
        label="Other versions",
        queryset=None,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=f"Up to {MOST_MODELS} models in all. Answers given in earlier evaluations are not generated again.",
    )
    outside = OutsideField(
        label="Outside models",
        queryset=None,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Your judges’ models answer these rows too. Their providers may charge for it.",
    )
    dataset_version = RowsField(label="Rows", queryset=None, empty_label=None)
    rows = forms.IntegerField(
        label="Maximum number of rows",
        min_value=1,
        max_value=MOST_ROWS,
        initial=USUAL_ROWS,
        help_text="If there are more, the same random sample is used each time.",
    )

    def __init__(self, version: AdapterVersion, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = version.run.dataset_version
        self.fields["versions"].queryset = _versions_to_choose(version)  # type: ignore[attr-defined]
        self.fields["versions"].initial = [before.id for before in version_before(version)]
        sets = DatasetVersion.objects.evaluation_sets() | DatasetVersion.objects.filter(id=own.id)
        field = self.fields["dataset_version"]
        field.queryset = sets.select_related("dataset").defer("problems", "profile").order_by("-created_at")  # type: ignore[attr-defined]
        field.initial = own.id
        self.fields["outside"].queryset = Judge.objects.filter(kind__in=ANSWERING)  # type: ignore[attr-defined]
        judging = JudgingForm()
        if judging.offered:
            self.fields |= {name: judging.fields[name] for name in ("judges", "rubric")}
            self.fields["judges"].required, self.fields["judges"].initial = False, []
        for name in ("versions", "outside"):
            if not self.fields[name].queryset.exists():  # type: ignore[attr-defined]
                del self.fields[name]

    def arguments(self) -> dict[str, Any]:
        """Arguments of `services.start_evaluation`. Raises PortalError for a judge that cannot be asked."""
        values = dict(self.cleaned_data)
        judging = {"is_pairwise": False, "judges": values.pop("judges", []), "rubric": values.pop("rubric", "")}
        return {
            **values,
            **{name: list(values.get(name, [])) for name in ("versions", "outside")},
            "judging": JudgingWanted(**arguments_of(judging)) if judging["judges"] else None,
        }


def _versions_to_choose(version: AdapterVersion) -> QuerySet[AdapterVersion]:
    same_base = AdapterVersion.objects.filter(adapter__base_model=version.adapter.base_model_id).exclude(id=version.id)
    own = same_base.filter(adapter=version.adapter_id).order_by("-number").values_list("id", flat=True)[:OFFERED]
    newest = same_base.exclude(adapter=version.adapter_id).order_by("adapter_id", "-number").distinct("adapter_id")
    others = sorted(newest.values_list("created_at", "id"), reverse=True)[:OFFERED]
    ids = [*own, *(found for _, found in others)]
    return (
        AdapterVersion.objects.filter(id__in=ids)
        .select_related("adapter")
        .defer("manifest", "metrics")
        .order_by("adapter__name", "-number")
    )

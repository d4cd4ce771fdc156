"""The form that starts an evaluation of a version: beside which models, and on which rows."""

from typing import Any

from django import forms
from django.db.models import Q, QuerySet

from adapters.models import AdapterVersion
from evaluations.runs.contenders import MOST_MODELS, version_before
from evaluations.runs.rows_form import RowsForm

OFFERED = 12
"""Versions to choose from: the newest of this adapter, then the newest of others."""


class VersionsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Labels each version with its rank and when it was trained."""

    def label_from_instance(self, obj: AdapterVersion) -> str:
        return f"{obj} (rank {obj.rank}, trained {obj.created_at:%-d %b %Y})"


class StartForm(RowsForm):
    """Defaults: the base and the version before, on the rows held out from the version's dataset, without judges."""

    base = forms.BooleanField(label="Its base model", required=False, initial=True)
    versions = VersionsField(
        label="Other versions",
        queryset=None,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=f"Up to {MOST_MODELS} models in all. Answers given in earlier evaluations are not generated again.",
    )

    def __init__(self, version: AdapterVersion, *args: Any, **kwargs: Any) -> None:
        own = version.run.dataset_version_id
        super().__init__(Q(id=own), *args, **kwargs)
        versions: Any = self.fields["versions"]
        versions.queryset = _versions_to_choose(version)
        versions.initial = [before.id for before in version_before(version)]
        self.fields["dataset_version"].initial = own
        self.leave_out_empty("versions")

    def arguments(self) -> dict[str, Any]:
        values = super().arguments()
        return {**values, "versions": list(values.get("versions", []))}


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

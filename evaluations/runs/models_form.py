"""The form that starts an evaluation of any models, with an adapter version among them or without one."""

from typing import Any

from django import forms
from django.db.models import Q, QuerySet

from adapters.models import AdapterVersion, BaseModel
from corpora.models import DatasetVersion
from evaluations.runs.rows_form import RowsForm

OFFERED = 50
"""Dataset versions with held-out rows, and adapters, to choose from: the newest."""


class VersionField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Labels each version with its base model."""

    def label_from_instance(self, obj: AdapterVersion) -> str:
        return f"{obj} (on {obj.adapter.base_model})"


class ModelsForm(RowsForm):
    """Without a version the rows have to be chosen; with one, its own held-out rows are the default."""

    base_model: "forms.ModelChoiceField[BaseModel]" = forms.ModelChoiceField(
        label="Base model", queryset=BaseModel.objects.all(), required=False, empty_label="None"
    )
    version = VersionField(
        label="Adapter version",
        queryset=None,
        required=False,
        empty_label="None",
        help_text="The evaluation is about this version, or without one about the base model. Each adapter’s newest "
        "version is listed. To compare several versions, select Evaluate on the page of one of them.",
    )

    field_order = ("base_model", "version", "outside", "alternatives", "dataset_version", "rows")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(Q(id__in=_newest_with_held_out_rows()), *args, **kwargs)
        bases = BaseModel.objects.values_list("id", flat=True)[:2]
        self.fields["base_model"].initial = bases[0] if len(bases) == 1 else None
        version: Any = self.fields["version"]
        version.queryset = _newest_versions()
        self.leave_out_empty("version")
        if "version" in self.fields:
            rows: Any = self.fields["dataset_version"]
            rows.required, rows.empty_label = False, "Those held out from the version’s dataset"

    def arguments(self) -> dict[str, Any]:
        values = super().arguments()
        return {**values, "base": values["base_model"] is not None}


def _newest_with_held_out_rows() -> list[Any]:
    found = DatasetVersion.objects.trainable().filter(test_count__gt=0).order_by("-created_at")
    return list(found.values_list("id", flat=True)[:OFFERED])


def _newest_versions() -> QuerySet[AdapterVersion]:
    newest = AdapterVersion.objects.order_by("adapter_id", "-number").distinct("adapter_id")
    latest = sorted(newest.values_list("created_at", "id"), reverse=True)[:OFFERED]
    found = AdapterVersion.objects.filter(id__in=[version_id for _, version_id in latest])
    related = ("adapter__base_model", "run__dataset_version__dataset")
    return found.select_related(*related).defer("manifest", "metrics").order_by("adapter__name")

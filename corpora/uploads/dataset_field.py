"""The choice of a dataset that a file becomes the next version of."""

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce

from corpora.models import Dataset, DatasetVersion

OFFERED = 100
"""Datasets to choose from: more are slow to draw and hard to find one in."""


class DatasetField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Offers the datasets with the latest uploads, by name; any of the tenant's may be sent."""

    def __init__(self) -> None:
        super().__init__(
            Dataset._base_manager.none(),
            required=False,
            empty_label="New dataset",
            label="Dataset",
            help_text="In an existing dataset, the file becomes the next version.",
        )

    def offer(self, chosen: Any) -> None:
        """Set the choices for the active tenant; `chosen`, a dataset or its id, is among them."""
        self.queryset = Dataset.objects.order_by("name")
        uploads = DatasetVersion.objects.filter(dataset=OuterRef("id")).order_by("-number").values("created_at")
        uploaded_last = Coalesce(Subquery(uploads[:1]), "created_at").desc()
        latest = list(Dataset.objects.order_by(uploaded_last).values_list("id", "name")[: OFFERED + 1])
        offered = {str(dataset_id): name for dataset_id, name in latest[:OFFERED]}
        if len(latest) > OFFERED:
            rest = f"The {OFFERED} with the latest uploads are listed. For another one, start from its page."
            self.help_text = f"{self.help_text} {rest}"
            offered |= self._named(getattr(chosen, "pk", chosen))
        by_name = sorted(offered.items(), key=lambda item: item[1].casefold())
        self.widget.choices = [("", self.empty_label), *by_name]

    def _named(self, chosen: Any) -> dict[str, str]:
        try:
            found = Dataset.objects.filter(pk=UUID(str(chosen))).values_list("id", "name")
        except ValueError:
            return {}
        return {str(dataset_id): name for dataset_id, name in found}

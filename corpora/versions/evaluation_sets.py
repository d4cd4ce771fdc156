"""Evaluation sets: versions whose rows are all asked in evaluations, and never trained on.

They stay the same from one adapter version to the next, so that v3 and v7 are compared on the same rows.
"""

from django.db import transaction

from corpora.lineage import uses_of
from corpora.models import DatasetVersion
from corpora.versions.errors import NotReady, TrainedOn
from tenants.audit.services import record_event

TRAININGS = ("training", "adapter version")
"""Kinds of use that have seen the rows."""


@transaction.atomic
def mark_as_evaluation_set(*, version: DatasetVersion, marked: bool) -> None:
    """Keep a version for evaluation, or allow training on it again. May be called twice.

    Raises NotReady, or TrainedOn if something was trained on its rows.
    """
    # The lock makes a training that starts at the same time wait, and then see the mark.
    locked = DatasetVersion.objects.select_for_update(of=("self",)).get(id=version.id)
    if locked.is_evaluation_set == marked:
        return
    if marked and not locked.is_ready:
        raise NotReady
    if marked and any(use.kind in TRAININGS for use in uses_of([version.id]).get(version.id, [])):
        raise TrainedOn
    DatasetVersion.objects.filter(id=version.id).update(is_evaluation_set=marked)
    record_event("dataset_version.evaluation_set", version, after={"is_evaluation_set": marked})

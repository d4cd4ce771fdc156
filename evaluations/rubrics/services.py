"""Every write to rubrics."""

from django.db import IntegrityError, transaction

from evaluations.models import Judging, Rubric, RubricVersion
from evaluations.rubrics.document import RubricDocument
from rest.errors import Conflict, NotFound
from tenants.audit.services import record_event
from tenants.models import Tenant, User


def create_rubric(*, tenant: Tenant, document: RubricDocument, created_by: User | None = None) -> Rubric:
    """Create a rubric with its first version. Raises Conflict if its name is taken."""
    try:
        with transaction.atomic():
            rubric = Rubric.objects.create(tenant=tenant, name=document.name, created_by=created_by)
            _add_version(rubric, document, 1, created_by)
            record_event("rubric.created", rubric, after={"sha256": document.sha256})
    except IntegrityError:
        raise _name_taken(document.name) from None
    return rubric


def change_rubric(*, rubric: Rubric, document: RubricDocument, changed_by: User | None = None) -> Rubric:
    """Make the document the rubric's newest version, unless only its name differs. Raises Conflict or NotFound."""
    try:
        with transaction.atomic():
            locked = Rubric.objects.select_for_update().filter(id=rubric.id).first()
            if locked is None:
                raise NotFound("Rubric not found.")
            newest = RubricVersion.objects.filter(rubric=locked).latest("number")
            before = {"name": locked.name, "version": newest.number, "sha256": newest.sha256}
            if locked.name != document.name:
                locked.name = document.name
                locked.save(update_fields=["name"])
            if newest.sha256 != document.sha256:
                newest = _add_version(locked, document, newest.number + 1, changed_by)
            after = {"name": locked.name, "version": newest.number, "sha256": newest.sha256}
            if after != before:
                record_event("rubric.changed", locked, before=before, after=after)
    except IntegrityError:
        raise _name_taken(document.name) from None
    return locked


@transaction.atomic
def delete_rubric(*, rubric: Rubric) -> None:
    """Delete a rubric with its versions. Does nothing if it is already deleted. Raises Conflict if grades need it."""
    found = Rubric.objects.select_for_update().filter(id=rubric.id).first()
    if found is not None:
        if Judging.objects.filter(rubric_version__rubric=found).exists():
            raise Conflict(
                f"Answers were judged by “{found.name}”, so it stays with their grades.", code="rubric:in_use"
            )
        record_event("rubric.deleted", found)
        found.delete()


def _add_version(rubric: Rubric, document: RubricDocument, number: int, created_by: User | None) -> RubricVersion:
    version: RubricVersion = RubricVersion.objects.create(
        tenant_id=rubric.tenant_id,
        rubric=rubric,
        number=number,
        document=document.to_dict(),
        sha256=document.sha256,
        created_by=created_by,
    )
    return version


def _name_taken(name: str) -> Conflict:
    return Conflict(
        f"A rubric called “{name}” already exists. Choose a different name.",
        code="rubric:name_taken",
        field="document",
    )

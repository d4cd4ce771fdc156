"""Writes to long work on base models. The worker does it (`starting.py`); these say what is to be done."""

import shutil
from collections.abc import Mapping

import structlog
from celery import current_app
from django.db import IntegrityError, transaction
from kombu.exceptions import OperationalError

from adapters.base_models.clouds import check_clouds
from adapters.base_models.names import check_name, refuse_in_use
from adapters.base_models.sources.fetch import is_elsewhere, unfinished
from adapters.models import BaseModel, BaseModelWork, WorkState
from adapters.operator.places import checked_source, log_of, own_folder
from adapters.operator.states import move_work
from jobs.messages.validity import valid_for
from rest.errors import Conflict
from tenants.models import User

GOING_ON = "adapters.go_on_with_base_models"
"""The task that starts what is due. It runs by the clock too, so a message that is late can be dropped."""

HINT_SECONDS = 10

log = structlog.get_logger(__name__)


def start_addition(*, source: str, name: str, facts: Mapping[str, str], started_by: User) -> BaseModelWork:
    """Have a base model added under `name`; `facts` are columns of it, of which empty ones are taken from its files.

    Raises PortalError with `field`: base_model:bad_name, base_model:bad_source, base_model:cannot_fetch, and what
    `check_clouds` raises; Conflict: base_model:name_taken, base_model:name_in_use.
    """
    check_name(name)
    check_clouds(facts)
    source = checked_source(source)
    _refuse_taken(name, source)
    return _begin(BaseModelWork.Kind.ADD, name, source=source, facts=dict(facts), started_by=started_by)


def start_check(*, base_model: BaseModel, started_by: User) -> BaseModelWork:
    """Have its files compared with what was added. Raises Conflict: base_model:busy."""
    return _begin(BaseModelWork.Kind.CHECK, base_model.name, base_model=base_model, started_by=started_by)


def stop_work(*, work: BaseModelWork) -> None:
    """Have the process that is at it end; what was fetched is kept. Raises Conflict: base_model:not_running."""
    if not move_work(work, WorkState.STOPPED):
        raise Conflict("This has ended already.", code="base_model:not_running")


def try_again(*, work: BaseModelWork) -> None:
    """Do it again, going on with what was fetched.

    Raises Conflict: base_model:busy, base_model:name_taken, base_model:name_in_use.
    """
    if work.base_model_id is None:
        if BaseModel.objects.filter(name=work.name).exists():
            raise _taken(work.name)
        refuse_in_use(work.name)
    try:
        with transaction.atomic():
            moved = move_work(work, WorkState.WAITING, tries=0)
    except IntegrityError:
        moved = False
    if not moved:
        raise _busy(work.name)
    transaction.on_commit(_hint)


def discard_work(*, work: BaseModelWork) -> None:
    """Forget an addition that did not end well, with what it has fetched.

    Raises Conflict: base_model:busy, also while the process of one that was stopped may still write.
    """
    ended = BaseModelWork.objects.left().filter(id=work.id, state__in=(WorkState.FAILED, WorkState.STOPPED))
    if not ended.delete()[0]:
        if work.state == WorkState.STOPPED:
            text = f"“{work.name}” is still being stopped. Try again in half a minute."
            raise Conflict(text, code="base_model:busy")
        raise _busy(work.name)
    if work.kind == BaseModelWork.Kind.ADD and is_elsewhere(work.source):
        transaction.on_commit(lambda: _forget_files(work.name))


def _begin(kind: BaseModelWork.Kind, name: str, **columns: object) -> BaseModelWork:
    try:
        with transaction.atomic():
            work: BaseModelWork = BaseModelWork.objects.create(kind=kind, name=name, **columns)
            # Of ended work on it only the last tells anything.
            older = BaseModelWork.objects.filter(name=name, kind=BaseModelWork.Kind.CHECK).exclude(id=work.id)
            older.delete()
    except IntegrityError:
        raise _busy(name) from None
    log.info("base_model_work_began", kind=kind, base_model=name)
    transaction.on_commit(_hint)
    return work


def _refuse_taken(name: str, source: str) -> None:
    if BaseModel.objects.filter(name=name).exists():
        raise _taken(name)
    if BaseModelWork.objects.filter(name=name).exclude(state=WorkState.DONE).exists():
        text = f"“{name}” is being added, or was not added to its end. Try that again or discard it first."
        raise Conflict(text, code="base_model:name_taken", field="name")
    if is_elsewhere(source) and (own_folder() / name).exists():
        text = f"There are files of “{name}” on the server already. Add their folder, or choose another name."
        raise Conflict(text, code="base_model:name_taken", field="name")
    refuse_in_use(name)


def _forget_files(name: str) -> None:
    folder = own_folder() / name
    log_of(name).unlink(missing_ok=True)
    shutil.rmtree(unfinished(name, own_folder()), ignore_errors=True)
    if not BaseModel.objects.filter(location=str(folder.resolve())).exists():
        shutil.rmtree(folder, ignore_errors=True)


def _taken(name: str) -> Conflict:
    text = f"There is a base model called “{name}”. Choose another name."
    return Conflict(text, code="base_model:name_taken", field="name")


def _busy(name: str) -> Conflict:
    return Conflict(f"“{name}” is being worked on. Wait until that has ended.", code="base_model:busy", field="name")


def _hint() -> None:
    # By its name: the task's module needs this one.
    try:
        current_app.send_task(GOING_ON, **valid_for(HINT_SECONDS))
    except OperationalError:
        log.warning("broker_unreachable")

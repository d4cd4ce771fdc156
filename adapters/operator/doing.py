"""Does long work on base models. Each piece may be done twice: what is there already is not made again."""

import errno
from pathlib import Path

import structlog
from django.db import InterfaceError, OperationalError

from adapters.base_models.services import add_base_model, note_findings
from adapters.base_models.sources.fetch import fetch, is_elsewhere
from adapters.models import BaseModel, BaseModelWork, WorkState
from adapters.operator.checking import check
from adapters.operator.places import log_of, own_folder
from adapters.operator.states import move_work
from rest.errors import PortalError

log = structlog.get_logger(__name__)


def do_work(work: BaseModelWork) -> None:
    """Do it and write down how it ended. Raises OperationalError or InterfaceError, after which it is done again."""
    try:
        base_model = work.base_model
        if base_model is None and work.kind == BaseModelWork.Kind.ADD:
            base_model = _add(work)
        _tell(work, "Checking the files")
        if base_model is not None:
            note_findings(base_model=base_model, findings=[one.to_dict() for one in check(base_model)])
    except BaseModel.DoesNotExist:
        # It was removed meanwhile, and this work with it.
        log.info("base_model_work_removed", base_model=work.name)
    except PortalError as error:
        _failed(work, error.text)
    except (OperationalError, InterfaceError):
        raise
    except OSError as error:
        log.exception("base_model_work_failed", base_model=work.name)
        is_full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        _failed(work, "The server’s disk is full." if is_full else f"The server could not do it: {error.strerror}.")
    except Exception as error:
        log.exception("base_model_work_failed", base_model=work.name)
        _failed(work, f"An unexpected error stopped it ({type(error).__name__}). {log_of(work.name)} says where.")
    else:
        move_work(work, WorkState.DONE, base_model=base_model, lease_expires_at=None)


def _add(work: BaseModelWork) -> BaseModel:
    folder = _fetched(work) if is_elsewhere(work.source) else Path(work.source)
    _tell(work, "Reading the files")
    added = add_base_model(folder=folder, name=work.name, **work.facts)
    # From here on this is work on it: interrupted, only the check is done again, and it goes when the base model does.
    BaseModelWork.objects.filter(id=work.id, fence=work.fence).update(base_model=added)
    work.base_model = added
    return added


def _fetched(work: BaseModelWork) -> Path:
    folder = own_folder() / work.name
    if folder.exists():
        # Nothing was called so when this began, so an earlier attempt has fetched it.
        return folder
    _tell(work, "Converting" if work.source.endswith(".gguf") else "Fetching")

    def expect(size: int) -> None:
        BaseModelWork.objects.filter(id=work.id, fence=work.fence).update(bytes_total=size)

    return fetch(work.source, name=work.name, into=own_folder(), expect=expect)


def _tell(work: BaseModelWork, doing: str) -> None:
    BaseModelWork.objects.filter(id=work.id, fence=work.fence).update(doing=doing, bytes_done=0, bytes_total=0)


def _failed(work: BaseModelWork, text: str) -> None:
    move_work(work, WorkState.FAILED, error_text=text, lease_expires_at=None)

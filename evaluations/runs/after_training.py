"""Evaluates a version as soon as it is trained, if its training was started so."""

import structlog

from adapters.models import AdapterVersion
from evaluations.runs.contenders import version_before
from evaluations.runs.services import start_evaluation
from rest.errors import PortalError

log = structlog.get_logger(__name__)


def evaluate_new_version(version: AdapterVersion) -> None:
    """Start its evaluation, with its base and the version before. Without held-out rows there is none."""
    run = version.run
    if not run.is_evaluated or not run.dataset_version.test_count:
        return
    try:
        start_evaluation(
            tenant=version.tenant, version=version, versions=version_before(version), created_by=run.created_by
        )
    except PortalError as error:
        # The training has succeeded all the same.
        log.warning("new_version_not_evaluated", code=error.code)

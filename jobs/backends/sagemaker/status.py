"""Translates AWS's description of a job: its state, its failure and its cost."""

import datetime as dt
import re
from typing import Any

import structlog

from jobs.backends.base import RunState
from lorakit.contracts import RunResult
from lorakit.errors import ContractError

Description = dict[str, Any]

STATES = {
    "InProgress": RunState.RUNNING,
    "Stopping": RunState.RUNNING,
    "Completed": RunState.SUCCEEDED,
    "Failed": RunState.FAILED,
    "Stopped": RunState.STOPPED,
}
PHASES = {
    "Starting": "starting",
    "LaunchingMLInstances": "starting",
    "PreparingTrainingStack": "starting",
    "Pending": "waiting for a machine",
    "Downloading": "downloading",
    "DownloadingTrainingImage": "downloading",
    "Training": "training",
    "Uploading": "uploading",
    "Interrupted": "interrupted",
    "Restarting": "restarting",
    "Stopping": "stopping",
}
TIMED_OUT = frozenset({"MaxRuntimeExceeded", "MaxWaitTimeExceeded"})
KILLED = 137

log = structlog.get_logger(__name__)


def run_state(job: Description) -> RunState:
    """The run's state. A job that reached its time limit is Stopped in AWS and failed here."""
    if job["TrainingJobStatus"] == "Stopped" and job.get("SecondaryStatus") in TIMED_OUT:
        return RunState.FAILED
    return STATES[job["TrainingJobStatus"]]


def billable_seconds(job: Description, now: dt.datetime) -> float:
    """Seconds of all instances together: AWS's figure once it exists, until then the time since training started."""
    instances = int(job.get("ResourceConfig", {}).get("InstanceCount", 1))
    if "BillableTimeInSeconds" in job:
        return float(job["BillableTimeInSeconds"]) * instances
    if "TrainingStartTime" not in job:
        return 0.0
    spent: dt.timedelta = (job.get("TrainingEndTime") or now) - job["TrainingStartTime"]
    return max(0.0, spent.total_seconds()) * instances


def failure(job: Description) -> dict[str, Any]:
    """The result document of a failed run (see lorakit.rundir), from what AWS and the container reported."""
    code, text, temporary = _explain(job)
    return failed(code, text, temporary=temporary)


def failed(code: str, text: str, *, temporary: bool) -> dict[str, Any]:
    """The result document of a run that failed for this reason."""
    return {"ok": False, "error": {"code": code, "text": text, "temporary": temporary}}


def _explain(job: Description) -> tuple[str, str, bool]:
    secondary, reason = str(job.get("SecondaryStatus", "")), str(job.get("FailureReason", ""))
    if secondary == "MaxRuntimeExceeded":
        limit = job["StoppingCondition"]["MaxRuntimeInSeconds"]
        text = (
            f"The run reached its limit of {limit} s and was stopped. "
            "Train for fewer epochs, or ask your site’s operator to raise the limit."
        )
        return "run:max_runtime", text, False
    if secondary == "MaxWaitTimeExceeded":
        return "platform:no_spot_capacity", "AWS had no spot machine in time.", True
    if (own := _own_words(reason)) is not None:
        return own
    if reason.startswith("CapacityError"):
        return "platform:no_capacity", "AWS has no machine of this type available right now.", True
    if reason.startswith("InternalServerError"):
        return "platform:run_failed", "AWS had an internal error and ended the run.", True
    exit_code = re.search(r"exit code:? (\d+)", reason, re.IGNORECASE)
    if exit_code and int(exit_code[1]) == KILLED:
        text = "The run ran out of memory. Lower the batch size or the maximum length."
        return "run:out_of_memory", text, False
    # AWS's words name roles, addresses and settings.
    log.error("run_ended_by_aws", run=job.get("TrainingJobName"), reason=reason)
    return "platform:run_failed", "AWS ended the run without a result. Contact your administrator.", False


def _own_words(reason: str) -> tuple[str, str, bool] | None:
    """The error that our entry point left in /opt/ml/output/failure; AWS wraps it in its own message."""
    document = re.search(r"\{.*\}", reason, re.DOTALL)
    if document is None:
        return None
    try:
        error = RunResult.from_json(document[0]).error
    except ContractError:
        return None
    return (error.code, error.text, error.temporary) if error else None


def cancelled() -> dict[str, Any]:
    """The result document of a run that was stopped on request."""
    error = {"code": "run:cancelled", "text": "The run was cancelled.", "temporary": False}
    return {"ok": False, "cancelled": True, "error": error}

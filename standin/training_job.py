"""The life of a training job, which advances with the clock and its container."""

import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standin.container import Container, DownloadFailed
from standin.objects import LogWriter, Objects

GRACE_SECONDS = 120.0
SPOT_SHARE = 0.3
"""The share of its time that a spot machine is billed for."""

ContainerFactory = Callable[[dict[str, Any], Path, Objects], Container]
Action = Callable[[float], None]


@dataclass(frozen=True)
class Timing:
    """Seconds that a job spends in each of AWS's own phases."""

    starting: float = 0.0
    downloading: float = 0.0
    uploading: float = 0.0
    restarting: float = 0.0


class TrainingJob:
    """A training job; DescribeTrainingJob's response comes from `request`, `status` and the transitions."""

    def __init__(
        self,
        request: dict[str, Any],
        *,
        arn: str,
        at: float,
        folder: Path,
        timing: Timing,
        objects: Objects,
        logs: LogWriter,
        container: ContainerFactory,
    ) -> None:
        self.request = request
        self.name: str = request["TrainingJobName"]
        self.arn = arn
        self.created_at = self.modified_at = at
        self.status = "InProgress"
        self.failure_reason = ""
        self.transitions: list[dict[str, Any]] = []
        self.trained_seconds = 0.0
        self.first_started_at: float | None = None
        self.ended_at: float | None = None
        self.metrics: dict[str, float] = {}
        self.has_capacity = True
        self._folder = folder
        self._timing = timing
        self._objects = objects
        self._logs = logs
        self._make_container = container
        self._container: Container | None = None
        self._containers = 0
        self._stream = ""
        self._stopping_at: float | None = None
        self._ends_as = ("Completed", "Completed")
        self._interrupted = False
        self._enter("Starting", at, "Starting the training job")

    @property
    def secondary(self) -> str:
        return str(self.transitions[-1]["Status"])

    @property
    def is_over(self) -> bool:
        return self.status in {"Completed", "Failed", "Stopped"}

    def stop(self, at: float) -> None:
        """StopTrainingJob: send SIGTERM and allow two minutes."""
        self._begin_stop(at, ("Stopped", "Stopped"))

    def interrupt(self) -> None:
        """Interrupt the spot machine."""
        if self.secondary == "Training" and self._container is not None:
            self._interrupted = True
            self._container.terminate()

    def advance(self, now: float) -> None:
        """Advance the job as far as the clock and container allow."""
        while not self.is_over:
            before = self.secondary
            self._check_limits(now)
            self._step(now)
            if self.secondary == before:
                return

    def close(self) -> None:
        """Kill the container if it still runs."""
        if self._container is not None:
            self._container.kill()
            self._container.wait()

    def _step(self, now: float) -> None:
        steps: dict[str, Action] = {
            "Starting": self._while_starting,
            "Downloading": self._while_downloading,
            "Training": self._while_training,
            "Stopping": self._while_training,
            "Uploading": self._while_uploading,
            "Interrupted": self._while_interrupted,
            "Restarting": self._while_starting,
        }
        steps[self.secondary](now)

    def _while_starting(self, now: float) -> None:
        if self.has_capacity and self._spent(now) >= self._timing.starting:
            self._enter("Downloading", now, "Downloading input data")

    def _while_downloading(self, now: float) -> None:
        if self._spent(now) < self._timing.downloading:
            return
        self._containers += 1
        self._container = self._make_container(self.request, self._folder / str(self._containers), self._objects)
        try:
            self._container.download()
        except DownloadFailed as error:
            self._end(now, "Failed", "Failed", f"ClientError: Data download failed: {error}")
            return
        self._container.start()
        self._stream = f"{self.name}/algo-1-{int(now) + self._containers}"
        self.first_started_at = self.first_started_at or now
        self._enter("Training", now, "Training image download completed. Training in progress.")

    def _while_training(self, now: float) -> None:
        container = self._running()
        if self._stopping_at is not None and now - self._stopping_at > GRACE_SECONDS:
            container.kill()
            container.wait()
        # Read the status first, so that lines printed in between are read with the end.
        status = container.exit_status()
        lines = container.new_lines()
        self.metrics |= container.metrics(lines)
        if lines:
            self._logs.write(self._stream, lines, now)
        container.sync_checkpoints()
        if status is None:
            return
        self.trained_seconds += self._training_time(now)
        if self._interrupted and self._stopping_at is None:
            self._interrupted = False
            self._enter("Interrupted", now, "Training job interrupted, spot capacity was reclaimed")
        elif self._stopping_at is not None or status == 0:
            self._enter("Uploading", now, "Uploading generated training model")
        else:
            container.upload()
            reason = f"AlgorithmError: {container.failure()}, exit code: {status}"
            self._end(now, "Failed", "Failed", reason[:1024])

    def _while_uploading(self, now: float) -> None:
        if self._spent(now) >= self._timing.uploading:
            self._running().upload()
            self._end(now, *self._ends_as, "")

    def _while_interrupted(self, now: float) -> None:
        if self._spent(now) >= self._timing.restarting:
            self._enter("Restarting", now, "Restarting the training job")

    def _check_limits(self, now: float) -> None:
        limits = self.request["StoppingCondition"]
        if self._stopping_at is not None:
            return
        longest = limits["MaxRuntimeInSeconds"]
        if self.secondary == "Training" and self.trained_seconds + self._training_time(now) > longest:
            self._begin_stop(now, ("Stopped", "MaxRuntimeExceeded"))
        elif now - self.created_at > limits.get("MaxWaitTimeInSeconds", float("inf")):
            self._begin_stop(now, ("Stopped", "MaxWaitTimeExceeded"))

    def _begin_stop(self, at: float, ends_as: tuple[str, str]) -> None:
        if self.secondary == "Uploading":
            self._ends_as = ends_as
        elif self._container is None or self.secondary in {"Interrupted", "Restarting", "Downloading"}:
            self._end(at, *ends_as, "")
        elif self._stopping_at is None:
            self._stopping_at, self._ends_as, self.status = at, ends_as, "Stopping"
            self.trained_seconds += self._training_time(at)
            self._container.terminate()
            self._enter("Stopping", at, "Stopping the training job")

    def _end(self, at: float, status: str, secondary: str, reason: str) -> None:
        self.status, self.failure_reason, self.ended_at = status, reason, at
        self._enter(secondary, at, reason)
        self.transitions[-1]["EndTime"] = at
        shutil.rmtree(self._folder, ignore_errors=True)

    def _enter(self, secondary: str, at: float, message: str) -> None:
        if self.transitions:
            self.transitions[-1]["EndTime"] = at
        self.transitions.append({"Status": secondary, "StartTime": at, "StatusMessage": message or secondary})
        self.modified_at = at

    def _running(self) -> Container:
        if self._container is None:
            raise RuntimeError(f"{self.name} has no container in {self.secondary}")
        return self._container

    def _spent(self, now: float) -> float:
        return now - float(self.transitions[-1]["StartTime"])

    def _training_time(self, now: float) -> float:
        return self._spent(now) if self.secondary == "Training" else 0.0

    def describe(self, now: float) -> dict[str, Any]:
        """The members of DescribeTrainingJob's response."""
        request = {key: value for key, value in self.request.items() if key != "Tags"}
        answer: dict[str, Any] = {
            **request,
            "TrainingJobArn": self.arn,
            "TrainingJobStatus": self.status,
            "SecondaryStatus": self.secondary,
            "SecondaryStatusTransitions": self.transitions,
            "CreationTime": self.created_at,
            "LastModifiedTime": self.modified_at,
            "FinalMetricDataList": [
                {"MetricName": name, "Value": value, "Timestamp": self.modified_at}
                for name, value in self.metrics.items()
            ],
        }
        if self.failure_reason:
            answer["FailureReason"] = self.failure_reason
        if self.first_started_at is not None:
            answer["TrainingStartTime"] = self.first_started_at
        if self.ended_at is not None:
            prefix = self.request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
            answer["ModelArtifacts"] = {"S3ModelArtifacts": f"{prefix}/{self.name}/output/model.tar.gz"}
            answer["TrainingEndTime"] = self.ended_at
            seconds = max(1, round(self.trained_seconds)) if self.first_started_at is not None else 0
            share = SPOT_SHARE if self.request.get("EnableManagedSpotTraining") else 1.0
            answer |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": round(seconds * share)}
        return answer


def job_arn(region: str, account: str, name: str) -> str:
    """A training job's ARN."""
    return f"arn:aws:sagemaker:{region}:{account}:training-job/{name.lower()}"


def request_id() -> str:
    """A request id like those of AWS."""
    return str(uuid.uuid4())

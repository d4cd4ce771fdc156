"""A training container's stand-in: the job's command as a process in a separate folder.

/opt/ml in the command is replaced by this folder, and `python` is this environment's. Nothing else differs: the
request's command unpacks and starts the code that was uploaded.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

from standin.objects import Objects, split_uri

ML = "/opt/ml"


class DownloadFailed(Exception):
    """An input could not be read from S3."""


class Container:
    """One container of a job: downloads inputs, runs the process, uploads checkpoints and output."""

    def __init__(self, request: dict[str, Any], folder: Path, objects: Objects) -> None:
        self.request = request
        self.objects = objects
        self.ml = folder / "opt" / "ml"
        self.log = folder / "log.txt"
        self._process: subprocess.Popen[bytes] | None = None
        self._synced: dict[str, tuple[int, int]] = {}
        self._read = 0

    def download(self) -> None:
        """Download inputs and earlier checkpoints. Raises DownloadFailed."""
        shutil.rmtree(self.ml, ignore_errors=True)
        for folder in ("input/data", "input/config", "model", "output/data", "checkpoints"):
            (self.ml / folder).mkdir(parents=True)
        for channel in self.request.get("InputDataConfig", ()):
            uri = channel["DataSource"]["S3DataSource"]["S3Uri"]
            target = self.ml / "input" / "data" / channel["ChannelName"]
            if not self.objects.download(uri, target):
                raise DownloadFailed(f'No S3 objects found under S3 URL "{uri}" given in input data source.')
        if checkpoints := self.request.get("CheckpointConfig"):
            self.objects.download(checkpoints["S3Uri"], self.ml / "checkpoints")

    def start(self) -> None:
        """Run the request's entry point."""
        algorithm = self.request["AlgorithmSpecification"]
        argv = [*algorithm["ContainerEntrypoint"], *algorithm.get("ContainerArguments", ())]
        # Only SageMaker's variables and none of this machine's, so that no credential leaks into a job.
        environment = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(self.ml),
            "TRAINING_JOB_NAME": self.request["TrainingJobName"],
            # An instance has its processors for itself. Here all jobs share one machine's.
            "OMP_NUM_THREADS": "1",
            **self.request.get("Environment", {}),
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [part.replace(ML, str(self.ml)) for part in argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=self.ml,
                start_new_session=True,
            )

    def exit_status(self) -> int | None:
        """The exit status, None while it runs; 128 plus the signal's number if it was killed, as in a shell."""
        status = self._process.poll() if self._process else None
        return status if status is None or status >= 0 else 128 - status

    def terminate(self) -> None:
        """Send SIGTERM, as SageMaker does first, only to the container's first process."""
        if self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """Kill all processes of the container, as SageMaker does two minutes later."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)

    def wait(self) -> None:
        """Wait until the process has ended."""
        if self._process is not None:
            self._process.wait()

    def new_lines(self) -> list[str]:
        """The lines printed since the last call; only complete lines while it runs."""
        if not self.log.exists():
            return []
        with self.log.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        end = len(data) if self.exit_status() is not None else data.rfind(b"\n") + 1
        self._read += end
        return [line for line in data[:end].decode(errors="replace").splitlines() if line.strip()]

    def sync_checkpoints(self) -> None:
        """Copy changed files to S3, as SageMaker does continuously; deletes nothing there."""
        config = self.request.get("CheckpointConfig")
        folder = self.ml / "checkpoints"
        if not config or not folder.is_dir():
            return
        bucket, prefix = split_uri(config["S3Uri"])
        for path in sorted(folder.rglob("*")):
            try:
                state = path.stat()
                seen = (state.st_mtime_ns, state.st_size)
                key = f"{prefix.rstrip('/')}/{path.relative_to(folder)}"
                if path.is_file() and self._synced.get(key) != seen:
                    self.objects.put(bucket, key, path.read_bytes())
                    self._synced[key] = seen
            except FileNotFoundError:
                # The run deletes old checkpoints meanwhile.
                continue

    def upload(self) -> None:
        """Upload model.tar.gz and output.tar.gz to SageMaker's locations."""
        bucket, prefix = split_uri(self.request["OutputDataConfig"]["S3OutputPath"])
        target = f"{prefix.rstrip('/')}/{self.request['TrainingJobName']}/output"
        for folder, archive in (("model", "model.tar.gz"), ("output/data", "output.tar.gz")):
            if any((self.ml / folder).iterdir()):
                self.objects.put(bucket, f"{target}/{archive}", self._archive(self.ml / folder))

    def failure(self) -> str:
        """The failure reason that the run wrote."""
        path = self.ml / "output" / "failure"
        return path.read_text(encoding="utf-8")[:1024] if path.exists() else ""

    def metrics(self, lines: list[str]) -> dict[str, float]:
        """The last value of each metric that the request defines by a regular expression."""
        found = {}
        for definition in self.request["AlgorithmSpecification"].get("MetricDefinitions", ()):
            for line in lines:
                if match := re.search(definition["Regex"], line):
                    found[definition["Name"]] = float(match[1])
        return found

    def _archive(self, folder: Path) -> bytes:
        path = folder.parent / f"{folder.name}.tar.gz"
        with tarfile.open(path, "w:gz") as tar:
            for item in sorted(folder.iterdir()):
                tar.add(item, arcname=item.name)
        return path.read_bytes()

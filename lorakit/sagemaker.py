"""The entry point of a SageMaker training container.

Run as `python -m lorakit.sagemaker --root /opt/ml --module lorakit.train`. It arranges SageMaker's folders as a run
directory, runs the module in it as anywhere else, and prints the module's events, because a container's output is its
log.

    ROOT/input/data/CHANNEL/    inputs; the channel `spec` holds spec.json, `base` the base model
    ROOT/checkpoints/           copied to S3 by SageMaker and restored after a spot interruption
    ROOT/model/                 the run's output; becomes model.tar.gz
    ROOT/output/data/           result.json and progress.jsonl; becomes output.tar.gz
    ROOT/output/failure         why it failed; becomes the job's failure reason

SageMaker sends SIGTERM two minutes before it ends a container; it is passed on as a graceful stop.
"""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from lorakit.contracts import Failure, RunResult
from lorakit.rundir import EXIT_FAILED

POLL_SECONDS = 0.2
FAILURE_LIMIT = 1024
"""SageMaker keeps this many characters of a failure reason."""


def lay_out(root: Path) -> Path:
    """Create the run directory from the container's folders and return its path."""
    run = root / "run"
    shutil.rmtree(run, ignore_errors=True)
    (run / "inputs").mkdir(parents=True)
    data = root / "input" / "data"
    for channel in data.iterdir():
        (run / "inputs" / channel.name).symlink_to(channel)
    for name, folder in (("output", root / "model"), ("checkpoints", root / "checkpoints")):
        folder.mkdir(parents=True, exist_ok=True)
        (run / name).symlink_to(folder)
    spec = json.loads((data / "spec" / "spec.json").read_text(encoding="utf-8"))
    if (data / "base").is_dir():
        spec["base_model"] = str(data / "base")
    (run / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    return run


def run_module(module: str, run: Path) -> int:
    """Run the module to its end, printing its events as they arrive. Returns the exit status."""
    child = subprocess.Popen([sys.executable, "-m", module, "--run-dir", str(run)])
    signal.signal(signal.SIGTERM, lambda signum, frame: child.terminate())
    printed = 0
    while child.poll() is None:
        printed = print_events(run / "progress.jsonl", printed)
        time.sleep(POLL_SECONDS)
    print_events(run / "progress.jsonl", printed)
    return child.returncode


def print_events(path: Path, start: int) -> int:
    """Print the complete lines after byte `start`. Returns where to continue."""
    if not path.exists():
        return start
    with path.open("rb") as file:
        file.seek(start)
        data = file.read()
    end = data.rfind(b"\n") + 1
    sys.stdout.write(data[:end].decode())
    sys.stdout.flush()
    return start + end


def leave_result(root: Path, run: Path, status: int) -> int:
    """Copy the run's result to where SageMaker expects it. Returns the container's exit status."""
    path = run / "result.json"
    if not path.exists():
        # Killed from outside, usually for its memory use. SageMaker derives a failure reason from the status.
        return 128 - status if status < 0 else status or EXIT_FAILED
    result = RunResult.from_json(path.read_bytes())
    output = root / "output"
    if result.ok:
        (output / "data").mkdir(parents=True, exist_ok=True)
        for name in ("result.json", "progress.jsonl"):
            shutil.copyfile(run / name, output / "data" / name)
        return 0
    output.mkdir(exist_ok=True)
    (output / "failure").write_text(_short(result).to_json(), encoding="utf-8")
    return EXIT_FAILED


def _short(result: RunResult) -> RunResult:
    error = result.error or Failure(code="run:internal", text="The run failed without giving a reason.")
    room = FAILURE_LIMIT // 2
    return RunResult(ok=False, error=Failure(code=error.code, text=error.text[:room], temporary=error.temporary))


def main(argv: Sequence[str] | None = None) -> int:
    """Run one module in the container's folders."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--module", required=True)
    arguments = parser.parse_args(argv)
    run = lay_out(arguments.root)
    return leave_result(arguments.root, run, run_module(arguments.module, run))


if __name__ == "__main__":
    sys.exit(main())

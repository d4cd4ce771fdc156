"""Run by check_sagemaker_package.py in the environment that has the `sagemaker` package: one job, told in JSON.

`python with_sagemaker_package.py OPTIONS_JSON`: submits it twice under one name and follows it to its end.
"""

import json
import os
import sys
import time
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def main() -> None:
    sys.path.insert(0, str(ROOT))
    import django

    django.setup()
    from jobs.backends.base import ComputeSpec, RunState
    from jobs.backends.sagemaker import SageMakerCompute

    imported_at_once = "sagemaker.core" in sys.modules
    options = json.loads(sys.argv[1])
    backend = SageMakerCompute("default", options | {"PACKAGES": tuple(options["PACKAGES"])})
    spec = ComputeSpec(
        module="tests.jobs.contract_run",
        spec={"steps": 3},
        checkpoint_key="job",
        tags={"tenant": "tenant", "job": "job", "attempt": "1", "kind": "toy"},
    )
    name = f"toy-{uuid.uuid4().hex}"
    for _ in range(2):
        backend.submit(name, spec)
    deadline = time.monotonic() + 60
    while (seen := backend.observe(name)).state is RunState.RUNNING and time.monotonic() < deadline:
        time.sleep(0.2)
    told = {"name": name, "state": seen.state, "result": seen.result, "image": backend.image}
    sys.stdout.write(json.dumps(told | {"imported_at_once": imported_at_once}) + "\n")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    main()

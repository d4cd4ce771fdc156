"""A site that is told of a bucket and a role keeps its objects in S3 and trains on SageMaker."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from portal.demo.standin import aws_standin

pytestmark = pytest.mark.slow

SCRIPT = """
import django
django.setup()
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from jobs.backends import compute
call_command("check")
key = default_storage.save("tenants/one/rows", ContentFile(b"rows"))
backend = compute["default"]
print(type(backend).__name__, backend.observe("nobody").state, backend._bucket.has(key))
print(backend._bucket.has("base-models/tiny/config.json"), backend.poll_seconds, type(compute["checks"]).__name__)
"""


def test_a_bucket_and_a_role_are_enough(tmp_path: Path) -> None:
    with aws_standin(tmp_path, settings.BASE_MODEL_DIR) as environment:
        ran = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=settings.BASE_DIR,
            env=os.environ | environment | {"DJANGO_SETTINGS_MODULE": "portal.settings"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert ran.stdout.splitlines()[-2:] == ["SageMakerCompute missing True", "True 1.0 LocalCompute"], ran.stderr

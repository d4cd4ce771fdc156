from collections.abc import Callable
from pathlib import Path

import pytest

from serving.backends.base import Package
from storage.objects import put_file
from tests.serving.conftest import object_key_of_canary


@pytest.fixture
def package(canary: Callable[[int], tuple[Path, str]]) -> Package:
    path, sha256 = canary(1)
    put_file(object_key_of_canary(sha256), path)
    return Package(key=object_key_of_canary(sha256), sha256=sha256)

"""deploy/aws/front.yaml says the same as the function, and its archive has all that the function needs."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml
from jsonschema import Draft4Validator

from lorakit.front.handler import PATHS
from lorakit.front.requests import FrontError, Kind, read_request
from scripts.front import own_files
from tests.lorakit.conftest import BASE

ROOT = BASE.parents[2]
BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"django", "torch", "transformers", "starlette", "aiohttp", "structlog", "celery"}:
            raise ImportError(name)
sys.meta_path.insert(0, Blocked())
from lorakit.front.handler import handler
print(handler.__module__)
"""


@pytest.fixture(scope="module")
def resources() -> Any:
    return cfn_yaml.load(str(ROOT / "deploy" / "aws" / "front.yaml"))["Resources"]


def paths(resources: Any) -> dict[str, Any]:
    """Methods by the path that they are at, without the organisation."""

    def path_of(name: str) -> str:
        properties = resources[name]["Properties"]
        above = properties["ParentId"].get("Ref")
        return f"{path_of(above)}/{properties['PathPart']}" if above else str(properties["PathPart"])

    methods = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::ApiGateway::Method"]
    return {path_of(method["ResourceId"]["Ref"]): method for method in methods}


def test_every_path_is_behind_iam_and_known_to_the_function(resources: Any) -> None:
    found = paths(resources)
    assert {*found} == {f"{{tenant}}/{path}" for path in (*PATHS, "v1/models")}
    assert {method["AuthorizationType"] for method in found.values()} == {"AWS_IAM"}
    assert resources["Function"]["Properties"]["Handler"] == "lorakit.front.handler.handler"


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        ("chat", {"model": "m", "messages": [{"role": "user", "content": "x"}]}),
        ("chat", {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": False}),
        ("chat", {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": True}),
        ("chat", {"model": "m", "messages": []}),
        ("chat", {"model": "m", "messages": [{"role": "robot", "content": "x"}]}),
        ("chat", {"messages": [{"role": "user", "content": "x"}]}),
        ("chat", {"model": "", "messages": [{"role": "user", "content": "x"}]}),
        ("completion", {"model": "m", "prompt": "x"}),
        ("completion", {"model": "m"}),
    ],
)
def test_what_api_gateway_lets_through_the_function_takes(resources: Any, kind: Kind, document: dict[str, Any]) -> None:
    import json

    [path] = [path for path, of in PATHS.items() if of == kind]
    model = paths(resources)[f"{{tenant}}/{path}"]["RequestModels"]["application/json"]["Ref"]
    schema = json.loads(json.dumps(resources[model]["Properties"]["Schema"]))
    try:
        read_request(json.dumps(document).encode(), kind)
        is_taken = True
    except FrontError:
        is_taken = False
    assert Draft4Validator(schema).is_valid(document) == is_taken


def test_the_archive_has_all_that_the_function_imports(tmp_path: Path) -> None:
    for file in own_files():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    path = [str(tmp_path), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    code = f"import sys; sys.path[:0] = {path!r}\n{BLOCKED}"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "lorakit.front.handler"

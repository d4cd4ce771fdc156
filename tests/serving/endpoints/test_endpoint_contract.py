"""What every endpoint backend does. A new backend subclasses EndpointContract and overrides its fixtures."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from serving.backends.base import EndpointBackend, Package, Status
from serving.backends.errors import EndpointError
from serving.backends.sagemaker import SageMakerEndpoint
from serving.backends.vllm import VllmEndpoint
from serving.endpoints.asking import ask
from storage.objects import put_file
from tests.serving.conftest import user
from tests.serving.faulty_endpoint import FaultyEndpoint
from tests.serving.memory_endpoint import MemoryEndpoint

Canary = Callable[[int], tuple[Path, str]]


class EndpointContract:
    """`backend` is an empty endpoint."""

    @pytest.fixture
    def backend(self) -> EndpointBackend:
        raise NotImplementedError

    def test_a_deployment_comes_into_service_and_goes(self, backend: EndpointBackend, package: Package) -> None:
        assert backend.describe("one").status is Status.MISSING
        backend.deploy("one", package)
        assert backend.describe("one").status is Status.IN_SERVICE
        assert set(backend.list()) == {"one"}
        backend.delete("one")
        assert backend.describe("one").status is Status.MISSING
        assert set(backend.list()) == set()

    def test_every_call_may_be_made_twice(self, backend: EndpointBackend, package: Package) -> None:
        backend.deploy("one", package)
        backend.deploy("one", package)
        assert set(backend.list()) == {"one"}
        backend.delete("one")
        backend.delete("one")
        assert set(backend.list()) == set()

    def test_the_same_content_may_have_two_names(self, backend: EndpointBackend, package: Package) -> None:
        backend.deploy("one", package)
        backend.deploy("two", package)
        backend.delete("one")
        assert set(backend.list()) == {"two"}

    def test_it_tells_its_health(self, backend: EndpointBackend, package: Package) -> None:
        backend.deploy("one", package)
        health = backend.health()
        assert health.ok
        assert health.adapters == 1

    def test_an_unknown_option_raises(self, backend: EndpointBackend) -> None:
        with pytest.raises(ValueError, match="SPEED"):
            type(backend)("default", {"SPEED": 1})


class TestMemory(EndpointContract):
    @pytest.fixture
    def backend(self, memory: MemoryEndpoint) -> EndpointBackend:
        return memory


class TestFaulty(EndpointContract):
    @pytest.fixture
    def backend(self) -> EndpointBackend:
        return FaultyEndpoint()


@pytest.mark.slow
class TestSageMaker(EndpointContract):
    @pytest.fixture
    def backend(self, sagemaker: SageMakerEndpoint) -> EndpointBackend:
        return sagemaker


class TestVllm(EndpointContract):
    @pytest.fixture
    def backend(self, vllm: VllmEndpoint) -> EndpointBackend:
        return vllm

    def test_the_target_answers_as_the_package(self, vllm: VllmEndpoint, package: Package, canary: Canary) -> None:
        vllm.deploy("one", package)
        first = ask(vllm.target("one"), user("Repeat: amber."), max_tokens=8)
        assert first.completion_tokens > 0
        assert first.busy_ms > 0
        assert ask(vllm.target("tiny-llama"), user("Repeat: amber."), max_tokens=8).text != first.text

    def test_a_package_that_changed_in_storage_is_refused(self, vllm: VllmEndpoint, package: Package) -> None:
        with pytest.raises(EndpointError) as refused:
            vllm.deploy("one", Package(key=package.key, sha256="0" * 64))
        assert refused.value.code == "deployment:package_changed"
        assert set(vllm.list()) == set()

    def test_a_package_that_is_gone_is_told(self, vllm: VllmEndpoint) -> None:
        with pytest.raises(EndpointError) as refused:
            vllm.deploy("one", Package(key="canaries/nothing", sha256="0" * 64))
        assert refused.value.code == "deployment:package_missing"
        assert not refused.value.temporary

    def test_a_broken_package_is_refused(self, vllm: VllmEndpoint, tmp_path: Path) -> None:

        broken = tmp_path / "broken.tar.gz"
        broken.write_bytes(b"no archive")
        default_storage.delete("canaries/broken")
        put_file("canaries/broken", broken)
        with pytest.raises(EndpointError) as refused:
            vllm.deploy("one", Package(key="canaries/broken", sha256=hashlib.sha256(b"no archive").hexdigest()))
        assert refused.value.code == "deployment:bad_package"

    def test_an_engine_that_is_away_is_a_temporary_error(self, package: Package, tmp_path: Path) -> None:
        away = VllmEndpoint("default", {"URL": "http://127.0.0.1:9", "ADAPTER_DIR": tmp_path / "adapters"})
        with pytest.raises(EndpointError) as refused:
            away.deploy("one", package)
        assert refused.value.temporary
        assert not away.health().ok

    def test_a_wrong_engine_key_is_told(self, vllm: VllmEndpoint, tmp_path: Path) -> None:
        stranger = VllmEndpoint("default", {"URL": vllm.servers[0].url, "API_KEY": "wrong", "ADAPTER_DIR": tmp_path})
        assert not stranger.health().ok
        with pytest.raises(EndpointError):
            stranger.list()

    def test_copies_that_nothing_needs_are_dropped_after_a_while(self, vllm: VllmEndpoint, package: Package) -> None:
        vllm.deploy("one", package)
        copy = vllm.folder / package.sha256
        vllm.tidy(set())
        assert copy.exists()
        os.utime(copy, (1, 1))
        vllm.tidy({package.sha256})
        assert copy.exists()
        vllm.tidy(set())
        assert not copy.exists()

    @pytest.mark.parametrize("missing", ["URL", "ADAPTER_DIR"])
    def test_a_needed_option_raises(self, missing: str) -> None:
        options = {"URL": "http://127.0.0.1:9", "ADAPTER_DIR": "/tmp"}
        with pytest.raises(ValueError, match=missing):
            VllmEndpoint("default", {k: v for k, v in options.items() if k != missing})

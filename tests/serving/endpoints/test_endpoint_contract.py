"""What every endpoint backend does. A new backend subclasses EndpointContract and overrides its fixtures."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from lorakit.digest import file_sha256
from serving.backends import endpoints
from serving.backends.base import EndpointBackend, Package, Status
from serving.backends.errors import EndpointError
from serving.backends.sagemaker import SageMakerEndpoint
from serving.backends.vllm import VllmEndpoint
from serving.endpoints.asking import ask
from storage.objects import put_file
from tests.serving.conftest import user
from tests.serving.faulty_endpoint import FaultyEndpoint
from tests.serving.memory_endpoint import MemoryEndpoint
from tests.serving.sagemaker_endpoint import waited

Canary = Callable[[int], tuple[Path, str]]


class EndpointContract:
    """`backend` is an empty endpoint; what it is told takes `patience` seconds at most."""

    patience = 30.0

    def until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self.patience
        while not is_so():
            assert time.monotonic() < deadline, "it took too long"
            time.sleep(min(self.patience / 100, 10.0))

    def comes_into_service(self, backend: EndpointBackend, name: str) -> None:
        self.until(lambda: backend.describe(name).status is not Status.CREATING)
        assert backend.describe(name).status is Status.IN_SERVICE, backend.describe(name).text

    def goes(self, backend: EndpointBackend, name: str) -> None:
        self.until(lambda: backend.describe(name).status is not Status.DELETING)
        assert backend.describe(name).status is Status.MISSING

    @pytest.fixture
    def backend(self) -> EndpointBackend:
        raise NotImplementedError

    def test_a_deployment_comes_into_service_and_goes(self, backend: EndpointBackend, package: Package) -> None:
        assert backend.describe("one").status is Status.MISSING
        backend.deploy("one", package)
        self.comes_into_service(backend, "one")
        assert set(backend.list()) == {"one"}
        backend.delete("one")
        self.goes(backend, "one")
        assert set(backend.list()) == set()

    def test_every_call_may_be_made_twice(self, backend: EndpointBackend, package: Package) -> None:
        backend.deploy("one", package)
        backend.deploy("one", package)
        self.comes_into_service(backend, "one")
        assert set(backend.list()) == {"one"}
        backend.delete("one")
        backend.delete("one")
        self.goes(backend, "one")
        assert set(backend.list()) == set()

    def test_the_same_content_may_have_two_names(self, backend: EndpointBackend, package: Package) -> None:
        backend.deploy("one", package)
        backend.deploy("two", package)
        self.comes_into_service(backend, "one")
        self.comes_into_service(backend, "two")
        backend.delete("one")
        self.goes(backend, "one")
        assert set(backend.list()) == {"two"}

    def test_it_tells_its_health(self, backend: EndpointBackend, package: Package) -> None:
        backend.deploy("one", package)
        self.comes_into_service(backend, "one")
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


@pytest.mark.skipif(os.environ.get("AWS_LIVE") != "1", reason="needs AWS_LIVE=1, an account and money")
class TestSageMakerOnAws(EndpointContract):
    """The same against AWS: docs/sagemaker.md says what it makes, and deletes again."""

    patience = 1800.0

    @pytest.fixture(scope="class")
    def made(self) -> Iterator[SageMakerEndpoint]:
        backend = endpoints["default"]
        assert isinstance(backend, SageMakerEndpoint), "set SAGEMAKER_ENDPOINT"
        try:
            list(waited(backend.provision().create(), seconds=15.0))
            yield backend
        finally:
            list(waited(backend.provision().delete(), seconds=15.0))

    @pytest.fixture
    def backend(self, made: SageMakerEndpoint) -> Iterator[SageMakerEndpoint]:
        yield made
        for name in made.list():
            made.delete(name)
        self.until(lambda: not made.list())

    @pytest.fixture
    def package(self) -> Package:
        path = Path(os.environ["AWS_LIVE_ADAPTER"])
        put_file("live/adapter", path)
        return Package(key="live/adapter", sha256=file_sha256(path))

    def test_the_target_answers(self, backend: SageMakerEndpoint, package: Package) -> None:
        backend.deploy("one", package)
        self.comes_into_service(backend, "one")
        for model in ("one", backend.base_model):
            assert ask(backend.target(model), user("Say hello."), max_tokens=16).completion_tokens > 0

    def test_it_says_how_it_scales(self, backend: SageMakerEndpoint) -> None:
        assert any("Copies" in line for line in backend.scaling())


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

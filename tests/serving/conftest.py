import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from django.conf import settings

from adapters.models import Adapter, AdapterVersion, BaseModel, TrainingRun
from corpora.models import Dataset, DatasetVersion, VersionState
from evaluations.models import Answer, EvaluatedModel, EvaluationItem, EvaluationRun, EvaluationState
from evaluations.runs.contenders import contenders
from evaluations.runs.stages.rows import MIN_NEW_TOKENS
from jobs.models import Job
from jobs.states import State
from lorakit.tiny.canaries import pack_canary
from serving.backends import endpoints
from serving.backends.base import Package
from serving.backends.sagemaker import SageMakerEndpoint
from serving.backends.vllm import VllmEndpoint
from serving.endpoints.asking import ask
from serving.endpoints.services import ensure_endpoint
from serving.models import Endpoint
from standin.faults import ComponentFaults, Faults, RuntimeFaults
from standin.server import StandIn
from storage.objects import object_key, put_file
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.serving.engine import KEY, Engine
from tests.serving.memory_endpoint import MemoryEndpoint
from tests.serving.sagemaker_endpoint import sagemaker_endpoint, waited
from tests.standin.deployment import running_standin

PROMPTS = ("Repeat: amber.", "Name: Ruth Vale.", "Total: 42.")


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine(settings.BASE_MODEL_DIR, tmp_path_factory.mktemp("engine") / "log.txt")
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture(scope="session")
def second_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine(settings.BASE_MODEL_DIR, tmp_path_factory.mktemp("second-engine") / "log.txt")
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture(scope="session")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], tuple[Path, str]]:
    """(package, SHA-256) of the canary with a seed, packed once."""
    folder = tmp_path_factory.mktemp("canaries")
    packed: dict[int, tuple[Path, str]] = {}

    def get(seed: int) -> tuple[Path, str]:
        if seed not in packed:
            path = folder / f"{seed}.tar.gz"
            packed[seed] = (path, pack_canary(settings.BASE_MODEL_DIR, path, seed=seed))
        return packed[seed]

    return get


@pytest.fixture
def vllm(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VllmEndpoint]:
    """The real engine as the site's endpoint, empty before and after."""
    options = {"URL": engine.url, "API_KEY": KEY, "ADAPTER_DIR": tmp_path / "adapters", "PRICE_USD_PER_HOUR": 0.5}
    backend = VllmEndpoint("default", options)
    monkeypatch.setitem(endpoints.built, "default", backend)
    yield backend
    for name in backend.list():
        backend.delete(name)


@pytest.fixture
def replicas(
    engine: Engine, second_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[VllmEndpoint]:
    """Two real engines as the site's one endpoint, empty before and after."""
    options = {"URLS": [engine.url, second_engine.url], "API_KEY": KEY, "ADAPTER_DIR": tmp_path / "adapters"}
    backend = VllmEndpoint("default", options)
    monkeypatch.setitem(endpoints.built, "default", backend)
    yield backend
    for name in backend.list():
        backend.delete(name)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StandIn, SageMakerEndpoint]]:
    """A stand-in with an endpoint made by `Provision`, its base in service; other modules empty moto's buckets."""
    with running_standin(tmp_path_factory.mktemp("aws")) as standin:
        backend = sagemaker_endpoint(standin)
        list(waited(backend.provision().create()))
        yield standin, backend


@pytest.fixture
def sagemaker(aws: tuple[StandIn, SageMakerEndpoint], monkeypatch: pytest.MonkeyPatch) -> Iterator[SageMakerEndpoint]:
    """The stand-in's endpoint as the site's, empty before and after."""
    standin, backend = aws
    monkeypatch.setitem(endpoints.built, "default", backend)
    yield backend
    standin.faults = Faults()
    standin.runtime.faults = RuntimeFaults()
    standin.hosting.components.faults = ComponentFaults()
    standin.hosting.components.is_lazy = False
    for name in backend.list():
        backend.delete(name)
    assert not backend.list()


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> MemoryEndpoint:
    backend = MemoryEndpoint()
    monkeypatch.setitem(endpoints.built, "default", backend)
    return backend


@pytest.fixture
def endpoint(db: None) -> Endpoint:
    base, _ = BaseModel.objects.get_or_create(
        name="tiny-llama", defaults={"title": "Tiny Llama", "location": str(settings.BASE_MODEL_DIR)}
    )
    return ensure_endpoint(name="shared", backend="default", base_model=base)


MakeVersion = Callable[..., AdapterVersion]


@pytest.fixture
def make_version(endpoint: Endpoint, canary: Callable[[int], tuple[Path, str]], tmp_path: Path) -> MakeVersion:
    """A trained version of an adapter with a canary's package; `answers` make a ready evaluation of it."""

    def make(
        tenant: Tenant, name: str, seed: int, *, answers: tuple[tuple[str, str], ...] | None = (("Hi", "Hi"),)
    ) -> AdapterVersion:
        path, sha256 = canary(seed)
        with tenant_scope(tenant.id):
            version = _store_version(tenant, endpoint.base_model, name, path, sha256)
            if answers is not None:
                _store_evaluation(version, answers)
        return version

    return make


@pytest.fixture
def true_answers(
    vllm: VllmEndpoint, canary: Callable[[int], tuple[Path, str]]
) -> Callable[[int], tuple[tuple[str, str], ...]]:
    """What a canary really answers to PROMPTS, asked under a name of its own."""

    def get(seed: int) -> tuple[tuple[str, str], ...]:
        path, sha256 = canary(seed)
        key = object_key_of_canary(sha256)
        put_file(key, path)
        vllm.deploy(f"probe-{seed}", Package(key=key, sha256=sha256))
        target = vllm.target(f"probe-{seed}")
        answers = tuple((prompt, ask(target, user(prompt), max_tokens=MIN_NEW_TOKENS).text) for prompt in PROMPTS)
        vllm.delete(f"probe-{seed}")
        return answers

    return get


def object_key_of_canary(sha256: str) -> str:
    return f"canaries/{sha256}"


def user(prompt: str) -> list[Any]:
    return [{"role": "user", "content": prompt}]


@pytest.fixture
def gateway(vllm: VllmEndpoint, endpoint: Endpoint, tmp_path: Path, transactional_db: None) -> Iterator[str]:
    """A gateway in a thread, over real HTTP; its URL. The ledger is in `tmp_path / "ledger"`."""
    with running_gateway(tmp_path / "ledger") as url:
        yield url


@pytest.fixture
def aws_gateway(
    sagemaker: SageMakerEndpoint, endpoint: Endpoint, tmp_path: Path, transactional_db: None
) -> Iterator[str]:
    """The same in front of SageMaker."""
    with running_gateway(tmp_path / "ledger") as url:
        yield url


@contextmanager
def running_gateway(ledger: Path) -> Iterator[str]:
    from serving.gateway.listening import server_config
    from serving.gateway.server import create_app

    server = uvicorn.Server(server_config(create_app(ledger), host="127.0.0.1", port=0))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < deadline, "the gateway did not start in time"
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=20)


def _store_version(tenant: Tenant, base: BaseModel, name: str, package: Path, sha256: str) -> AdapterVersion:
    dataset, _ = Dataset.objects.get_or_create(tenant=tenant, name=name)
    number = dataset.versions.count() + 1
    job = Job.objects.create(tenant=tenant, kind="training", title=f"Train {name}", state=State.SUCCEEDED)
    data = DatasetVersion.objects.create(
        tenant=tenant, dataset=dataset, number=number, state=VersionState.READY, file_name="rows.jsonl",
        upload_sha256=f"{number:064x}", upload_bytes=1, upload_key="none",
    )  # fmt: skip
    adapter, _ = Adapter.objects.get_or_create(tenant=tenant, name=name, defaults={"base_model": base})
    run = TrainingRun.objects.create(tenant=tenant, adapter=adapter, dataset_version=data, job=job, recipe="style")
    key = object_key(tenant.id, "packages", sha256)
    put_file(key, package)
    return AdapterVersion.objects.create(
        tenant=tenant, adapter=adapter, number=number, run=run, package_key=key, package_sha256=sha256,
        package_bytes=package.stat().st_size, rank=4, metrics={"train_seconds": 1.0},
    )  # fmt: skip


def _store_evaluation(version: AdapterVersion, answers: tuple[tuple[str, str], ...]) -> EvaluationRun:
    job = Job.objects.create(
        tenant=version.tenant, kind="evaluation", title=f"Evaluate {version}", state=State.SUCCEEDED
    )
    own = f"v{version.number}"
    base, adapter = {"exact_match": 0.0, "rouge_l": 0.1}, {"exact_match": 0.9, "rouge_l": 0.95}
    difference = {"metric": "exact_match", "model": own, "against": "base", "mean": 0.9, "low": 0.8, "high": 1.0,
                  "p_value": 0.001, "rows": 20, "units": 20, "verdict": "better"}  # fmt: skip
    run = EvaluationRun.objects.create(
        tenant=version.tenant,
        version=version,
        dataset_version=version.run.dataset_version,
        job=job,
        state=EvaluationState.READY,
        summary={
            "all": {
                "rows": len(answers),
                "figures": {"base": base, own: adapter},
                "differences": [difference],
                "unavailable": {},
            }
        },
    )
    models = contenders(run, base=True, versions=())
    EvaluatedModel.objects.bulk_create(models)
    for position, (prompt, answer) in enumerate(answers, 1):
        item = EvaluationItem.objects.create(
            tenant=version.tenant, run=run, position=position, messages=user(prompt), reference=answer
        )
        for model, text, scores in zip(models, ("base", answer), (base, adapter), strict=True):
            Answer.objects.create(tenant=version.tenant, item=item, model=model, text=text, scores=scores)
    return run

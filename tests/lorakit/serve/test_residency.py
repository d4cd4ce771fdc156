"""Which adapters are in slots: pinned ones stay, others take turns, and Prometheus is told."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from lorakit.serve.engine import Engine, Settings
from lorakit.serve.server import create_app

pytestmark = pytest.mark.slow

ASK = [{"role": "user", "content": "Who are you?"}]


@pytest.fixture
def settings(base: Path, tmp_path: Path) -> Settings:
    cache = tmp_path / "cache"
    cache.mkdir()
    return Settings(
        base=str(base), base_id="tiny-llama", cache=cache, slots=2, max_rank=16, memory=tmp_path / "adapters.json"
    )


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(Engine(settings))) as client:
        yield client


def load(client: TestClient, name: str, path: Path, **more: Any) -> Any:
    return client.post("/v1/load_lora_adapter", json={"lora_name": name, "lora_path": str(path), **more})


def ask(client: TestClient, name: str) -> str:
    done = client.post(
        "/v1/chat/completions", json={"model": name, "messages": ASK, "temperature": 0, "max_tokens": 12}
    )
    return str(done.json()["choices"][0]["message"]["content"])


def metrics(client: TestClient) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Every sample's value by its name and labels."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def in_slots(client: TestClient) -> dict[str, bool]:
    """Adapters in slots by name, and whether they are pinned."""
    samples = metrics(client).get("vllm:lora_adapter_loaded", {})
    return {dict(labels)["adapter_name"]: dict(labels)["pinned"] == "true" for labels in samples}


@pytest.fixture
def third(adapters: dict[str, Path], tmp_path: Path, base: Path) -> Path:
    """A package of other content: the first one's with half the scale."""
    from lorakit.package import CONFIG, PACKAGE, pack, unpack

    unpack(adapters["alpha"], tmp_path / "third")
    config = (tmp_path / "third" / CONFIG).read_text()
    (tmp_path / "third" / CONFIG).write_text(config.replace('"lora_alpha": ', '"lora_alpha": 0.'))
    pack(tmp_path / "third", tmp_path / PACKAGE)
    shutil.rmtree(tmp_path / "third")
    return tmp_path / PACKAGE


def test_an_adapter_goes_into_a_free_slot_at_once_and_evicts_none_unasked(
    client: TestClient, adapters: dict[str, Path], third: Path
) -> None:
    for name in ("alpha", "omega"):
        assert load(client, name, adapters[name]).status_code == 200
    assert in_slots(client) == {"alpha": False, "omega": False}
    assert load(client, "third", third).status_code == 200
    assert in_slots(client) == {"alpha": False, "omega": False}
    assert load(client, "third", third, preload=True).status_code == 200
    assert in_slots(client) == {"omega": False, "third": False}
    assert ask(client, "alpha") == "I am alpha"
    assert "alpha" in in_slots(client)


def test_without_preload_it_waits_until_it_is_asked(client: TestClient, adapters: dict[str, Path]) -> None:
    assert load(client, "alpha", adapters["alpha"], preload=False).status_code == 200
    assert in_slots(client) == {}
    assert ask(client, "alpha") == "I am alpha"
    assert in_slots(client) == {"alpha": False}


def test_a_pinned_adapter_stays_whatever_is_asked(client: TestClient, adapters: dict[str, Path], third: Path) -> None:
    assert load(client, "alpha", adapters["alpha"], pin=True).status_code == 200
    load(client, "omega", adapters["omega"])
    load(client, "third", third)
    for name in ("omega", "third", "omega", "third"):
        ask(client, name)
        assert in_slots(client)["alpha"] is True
    refused = load(client, "omega", adapters["omega"], pin=True)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "no_free_slot")
    assert ask(client, "omega") == "I am omega"

    assert load(client, "alpha", adapters["alpha"], pin=False).status_code == 200
    assert in_slots(client)["alpha"] is False
    assert load(client, "omega", adapters["omega"], pin=True).status_code == 200
    client.post("/v1/unload_lora_adapter", json={"lora_name": "omega"})
    assert load(client, "third", third, pin=True).status_code == 200, "an unloaded adapter holds no pin"


def test_pins_outlive_the_process(client: TestClient, settings: Settings, adapters: dict[str, Path]) -> None:
    load(client, "omega", adapters["omega"])
    load(client, "alpha", adapters["alpha"], pin=True)
    with TestClient(create_app(Engine(settings))) as again:
        assert again.get("/health").json()["adapters"] == 2
        assert ask(again, "tiny-llama")
        assert in_slots(again) == {"alpha": True}


@pytest.mark.parametrize(
    "more", [{"pin": "yes"}, {"preload": 1}, {"pin": True, "preload": False}], ids=["pin", "preload", "both"]
)
def test_bad_places_are_refused(client: TestClient, adapters: dict[str, Path], more: dict[str, Any]) -> None:
    assert load(client, "alpha", adapters["alpha"], **more).status_code == 400
    assert [model["id"] for model in client.get("/v1/models").json()["data"]] == ["tiny-llama"]


def test_prometheus_is_told_what_was_done(client: TestClient, adapters: dict[str, Path]) -> None:
    load(client, "alpha", adapters["alpha"])
    ask(client, "alpha")
    found = metrics(client)
    of_alpha = (("model_name", "alpha"),)
    assert found["vllm:max_gpu_lora_adapters"][()] == 2
    assert found["vllm:num_gpu_loaded_lora_adapters"][()] == 1
    assert found["vllm:lora_adapter_load_seconds_count"][()] == 1
    assert found["vllm:generation_tokens_total"][of_alpha] > 0
    assert found["vllm:prompt_tokens_total"][of_alpha] > 0
    assert found["vllm:time_to_first_token_seconds_count"][of_alpha] == 1
    assert found["vllm:e2e_request_latency_seconds_count"][of_alpha] == 1
    assert found["vllm:request_success_total"][(("finished_reason", "stop"), *of_alpha)] == 1
    assert found["vllm:num_requests_waiting"][()] == 0
    memory = found["lorakit:memory_bytes"]
    assert memory[(("part", "process"),)] > memory[(("part", "base"),)] > 0
    assert memory[(("part", "slots"),)] > 0
    client.post("/v1/unload_lora_adapter", json={"lora_name": "alpha"})
    assert of_alpha not in metrics(client).get("vllm:generation_tokens_total", {})

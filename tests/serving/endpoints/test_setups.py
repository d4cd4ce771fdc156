"""What backends say of how their engines are set up."""

from typing import Any

import pytest

from lorakit.capacity.machines import GIB, MIB
from serving.backends.sagemaker.plan import Plan
from serving.backends.vllm import VllmEndpoint

HERE: dict[str, Any] = {"URL": "http://10.0.0.1:8000", "ADAPTER_DIR": "/adapters"}


def of_vllm(**options: Any) -> VllmEndpoint:
    return VllmEndpoint("default", {**HERE, **options})


def of_sagemaker(**changes: Any) -> Plan:
    return Plan(endpoint="e", base_component="b", role_arn="", image="", model_uri="", **changes)


def test_the_site_s_own_engine_has_no_gpu_and_no_known_limit() -> None:
    setup = of_vllm(MAX_RANK=48).setup(2048)
    assert (setup.engine, setup.precision, setup.device_bytes, setup.has_gpu) == ("lorakit", "fp32", None, False)
    assert (setup.slots, setup.host_adapters, setup.slot_rank, setup.context) == (16, 16, 48, 2048)


def test_a_vllm_server_is_as_its_options_say() -> None:
    options = {"ENGINE": "vllm", "GPU_ADAPTERS": 8, "CPU_ADAPTERS": 64, "MAX_RANK": 48, "CONTEXT_TOKENS": 4096}
    backend = of_vllm(**options, WIDTH=128, GPUS=2, MEMORY_GIB=24.0, URLS=("http://a:1", "http://b:1"))
    setup = backend.setup(131_072)
    assert (setup.engine, setup.precision, setup.gpus, setup.device_bytes) == ("vllm", "bf16", 2, 24 * GIB)
    assert (setup.slots, setup.host_adapters, setup.slot_rank) == (8, 64, 64)
    assert (setup.context, setup.width, backend.context_tokens, backend.copies) == (4096, 128, 4096, 2)


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="ENGINE must be lorakit or vllm"):
        of_vllm(ENGINE="triton")


def test_figures_that_cannot_be_are_refused_when_they_are_used() -> None:
    with pytest.raises(ValueError, match="above 0"):
        of_vllm(WIDTH=-1).setup(2048)


def test_sagemaker_has_the_gpu_of_its_instance_type() -> None:
    setup = of_sagemaker(instance_type="ml.g6e.2xlarge", gpu_adapters=8, cpu_adapters=64, max_rank=12).setup()
    assert setup.device_bytes == 46_068 * MIB
    assert (setup.slots, setup.host_adapters, setup.slot_rank, setup.width) == (8, 64, 16, 256)
    assert of_sagemaker(instance_type="ml.inf2.xlarge").setup().device_bytes is None


def test_what_the_container_s_environment_says_counts() -> None:
    environment = {"SM_VLLM_MAX_NUM_SEQS": "64", "OPTION_GPU_MEMORY_UTILIZATION": "0.8"}
    setup = of_sagemaker(environment=environment).setup()
    assert (setup.width, setup.utilisation) == (64, 0.8)

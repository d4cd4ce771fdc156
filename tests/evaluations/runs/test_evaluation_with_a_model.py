"""An evaluation with nothing replaced: the shipped base and a real adapter answer in a child process."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from adapters.models import AdapterVersion
from evaluations.models import EvaluationRun, EvaluationState
from evaluations.runs.queries import answers_of
from evaluations.runs.services import start_evaluation
from tenants.models import Tenant
from tenants.scope import tenant_scope

pytestmark = pytest.mark.slow


@pytest.fixture
def package(tmp_path: Path) -> bytes:
    """An adapter of random weights: it says nothing of use, yet other things than the base."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from lorakit.package import pack

    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(settings.BASE_MODEL_DIR)
    config = LoraConfig(r=4, lora_alpha=32, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(model, config).save_pretrained(str(tmp_path / "adapter"))
    pack(tmp_path / "adapter", tmp_path / "adapter.tar.gz", "tiny-llama")
    return (tmp_path / "adapter.tar.gz").read_bytes()


def test_base_and_adapter_answer_the_held_out_rows(
    tenant: Tenant, make_version: Callable[..., AdapterVersion], package: bytes, run_jobs: Callable[..., None]
) -> None:
    version = make_version(rows=4, package=package)
    with tenant_scope(tenant.id):
        run = start_evaluation(tenant=tenant, version=version)
        run_jobs()
        run = EvaluationRun.objects.select_related("job").get(id=run.id)
        assert run.state == EvaluationState.READY, run.job.error_text
        answers = answers_of(run, list(run.items.all())).values()
        assert len(answers) == 4
        assert any(base.answer.text != own.answer.text for base, own in answers)
        assert run.job.billable_seconds > 0
        assert run.job.events.filter(type="phase", data__phase="generating").exists()

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
from tests.evaluations.alternatives.sample import held_out, training

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


def test_what_needs_no_training_answers_the_same_rows(
    tenant: Tenant, make_version: Callable[..., AdapterVersion], package: bytes, run_jobs: Callable[..., None]
) -> None:
    version = make_version(package=package, training=training(), held_out=held_out())
    with tenant_scope(tenant.id):
        run = start_evaluation(tenant=tenant, version=version)
        run_jobs()
        run = EvaluationRun.objects.select_related("job").get(id=run.id)
        assert run.state == EvaluationState.READY, run.job.error_text
        assert [model.key for model in run.models.all()] == ["base", "v1", "few_shot", "look_up", "classifier"]
        facts = run.summary["all"]["models"]
        assert facts["few_shot"]["examples"] == 8
        assert facts["few_shot"]["prompt_tokens"] > 2 * facts["base"]["prompt_tokens"]
        assert facts["few_shot"]["tokens"] > 0
        assert facts["look_up"]["tokens"] == facts["look_up"]["prompt_tokens"] == 0
        assert 0 < facts["look_up"]["seconds"] < facts["base"]["seconds"]
        figures = run.summary["all"]["figures"]
        assert figures["look_up"]["exact_match"] == figures["classifier"]["exact_match"] == 1.0
        again = start_evaluation(tenant=tenant, version=version)
        run_jobs()
        again = EvaluationRun.objects.select_related("job").get(id=again.id)
        assert again.state == EvaluationState.READY
        assert not again.job.external_name, "all answers were known"

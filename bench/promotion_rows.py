"""Rows of trained and evaluated versions, written as trainings and evaluations would have left them."""

from pathlib import Path

from adapters.models import Adapter, AdapterVersion, BaseModel, TrainingRun
from corpora.models import Dataset, DatasetVersion, VersionState
from evaluations.models import Answer, EvaluatedModel, EvaluationItem, EvaluationRun, EvaluationState
from evaluations.runs.contenders import contenders
from jobs.models import Job
from jobs.states import State
from storage.objects import object_key, put_file
from tenants.models import Tenant

BASE_SCORES, OWN_SCORES = {"exact_match": 0.0, "rouge_l": 0.1}, {"exact_match": 0.9, "rouge_l": 0.95}


def add_version(
    tenant: Tenant, base: BaseModel, name: str, package: Path, sha256: str, known: tuple[str, str]
) -> AdapterVersion:
    """The next version of an adapter, with an evaluation that holds one known answer. Runs in the tenant's scope."""
    dataset, _ = Dataset.objects.get_or_create(tenant=tenant, name=name)
    number = dataset.versions.count() + 1
    training = Job.objects.create(tenant=tenant, kind="training", title=f"Train {name}", state=State.SUCCEEDED)
    data = DatasetVersion.objects.create(
        tenant=tenant, dataset=dataset, number=number, state=VersionState.READY, file_name="rows.jsonl",
        upload_sha256=f"{number:064x}", upload_bytes=1, upload_key="none",
    )  # fmt: skip
    adapter, _ = Adapter.objects.get_or_create(tenant=tenant, name=name, defaults={"base_model": base})
    run = TrainingRun.objects.create(tenant=tenant, adapter=adapter, dataset_version=data, job=training, recipe="style")
    key = object_key(tenant.id, "packages", sha256)
    put_file(key, package)
    version: AdapterVersion = AdapterVersion.objects.create(
        tenant=tenant, adapter=adapter, number=number, run=run, package_key=key, package_sha256=sha256,
        package_bytes=package.stat().st_size, rank=4, metrics={"train_seconds": 1.0},
    )  # fmt: skip
    _add_evaluation(version, known)
    return version


def _add_evaluation(version: AdapterVersion, known: tuple[str, str]) -> None:
    tenant, own = version.tenant, f"v{version.number}"
    job = Job.objects.create(tenant=tenant, kind="evaluation", title=f"Evaluate {version}", state=State.SUCCEEDED)
    difference = {"metric": "exact_match", "model": own, "against": "base", "mean": 0.9, "low": 0.8, "high": 1.0,
                  "p_value": 0.001, "rows": 20, "units": 20, "verdict": "better"}  # fmt: skip
    part = {
        "rows": 1,
        "figures": {"base": BASE_SCORES, own: OWN_SCORES},
        "differences": [difference],
        "unavailable": {},
    }
    run = EvaluationRun.objects.create(
        tenant=tenant, version=version, dataset_version=version.run.dataset_version, job=job,
        state=EvaluationState.READY, summary={"all": part},
    )  # fmt: skip
    models = contenders(run, base=True, versions=())
    EvaluatedModel.objects.bulk_create(models)
    prompt, answer = known
    item = EvaluationItem.objects.create(
        tenant=tenant, run=run, position=1, messages=[{"role": "user", "content": prompt}], reference=answer
    )
    for model, text, scores in zip(models, ("base", answer), (BASE_SCORES, OWN_SCORES), strict=True):
        Answer.objects.create(tenant=tenant, item=item, model=model, text=text, scores=scores)

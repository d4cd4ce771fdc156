"""A version with held-out rows, evaluations that ended before the test began, and a compute that ends at once."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from adapters.models import Adapter, AdapterVersion, BaseModel, TrainingRun
from corpora.models import Dataset, DatasetVersion, VersionState
from evaluations.models import EvaluatedModel, EvaluationItem, EvaluationRun, EvaluationState, ModelKind
from evaluations.runs.contenders import contenders
from evaluations.runs.stages.answers import Given, store
from evaluations.runs.stages.generation import ASKED, WITH_EXAMPLES, target_of
from evaluations.runs.stages.grading import grade_run
from evaluations.runs.stages.rows import store_rows
from evaluations.runs.stages.scoring import score_run
from jobs.backends.local import LocalCompute
from jobs.models import Job
from jobs.states import State
from storage.objects import object_key
from tenants.models import Tenant
from tenants.scope import tenant_scope

Respond = Callable[[dict[str, Any], str], str]
"""(row, the model's key) -> answer."""


def reference_of(row: dict[str, Any]) -> str:
    content: str = row["messages"][-1]["content"]
    return content


def good_adapter(row: dict[str, Any], model: str) -> str:
    """Adapters know every answer, the base none."""
    return "I do not know." if model == "base" else reference_of(row)


def asked(item: EvaluationItem) -> dict[str, Any]:
    """The row as a dataset has it."""
    return {"messages": [*item.messages, {"role": "assistant", "content": item.reference}]}


def row(number: int) -> dict[str, Any]:
    """Rows come back from an evaluation in this order; every third is of the slice `unseen`."""
    messages = [
        {"role": "user", "content": f"Which shelf holds box {number}?"},
        {"role": "assistant", "content": f"SHELF {number % 7} row {number}"},
    ]
    return {"id": f"{number:032x}", "messages": messages, "slice": "seen" if number % 3 else "unseen"}


def lines(rows: Iterable[dict[str, Any]]) -> "ContentFile[bytes]":
    return ContentFile("".join(json.dumps(row) + "\n" for row in rows).encode())


@pytest.fixture
def base_model(db: None) -> BaseModel:
    return BaseModel.objects.create(name="tiny-llama", title="Tiny Llama", location=str(settings.BASE_MODEL_DIR))


@pytest.fixture
def make_version(base_model: BaseModel, tenant: Tenant) -> Callable[..., AdapterVersion]:
    """A trained version whose dataset holds `rows` rows out; `package` is the adapter's file.

    `training` are the rows that it learnt, which are no longer stored unless they are given.
    """

    def make(
        owner: Tenant = tenant,
        *,
        rows: int = 6,
        package: bytes = b"package",
        training: Sequence[dict[str, Any]] = (),
        held_out: Sequence[dict[str, Any]] = (),
    ) -> AdapterVersion:
        held_out = held_out or [row(n) for n in range(1, rows + 1)]
        with tenant_scope(owner.id):
            dataset, _ = Dataset.objects.get_or_create(tenant=owner, name=f"Boxes of {owner}")
            adapter, _ = Adapter.objects.get_or_create(tenant=owner, name="boxes", base_model=base_model)
            number = adapter.versions.count() + 1
            key = object_key(owner.id, "tests", f"test-{number}.jsonl")
            dataset_version = DatasetVersion.objects.create(
                tenant=owner,
                dataset=dataset,
                number=number,
                state=VersionState.READY,
                file_name="boxes.jsonl",
                upload_sha256=f"{number:064x}",
                upload_bytes=1,
                train_key=default_storage.save(f"{key}.train", lines(training)) if training else "",
                train_count=len(training),
                test_key=default_storage.save(key, lines(held_out)),
                test_count=len(held_out),
            )
            job = Job.objects.create(tenant=owner, kind="training", title="Train", state=State.SUCCEEDED)
            run = TrainingRun.objects.create(
                tenant=owner, adapter=adapter, dataset_version=dataset_version, job=job, recipe="style"
            )
            package_key = object_key(owner.id, "tests", f"adapter-{number}.tar.gz")
            return AdapterVersion.objects.create(
                tenant=owner,
                adapter=adapter,
                number=number,
                run=run,
                package_key=default_storage.save(package_key, ContentFile(package)),
                package_sha256="ab" * 32,
                package_bytes=len(package),
                rank=8,
                metrics={"train_seconds": 4.0},
            )

    return make


@pytest.fixture
def version(make_version: Callable[..., AdapterVersion]) -> AdapterVersion:
    return make_version()


@pytest.fixture
def make_evaluation(make_version: Callable[..., AdapterVersion]) -> Callable[..., EvaluationRun]:
    """A ready evaluation of `version`, or of a new one, with the answers that `respond` gives."""

    def make(
        owner: Tenant,
        *,
        version: AdapterVersion | None = None,
        versions: Sequence[AdapterVersion] = (),
        respond: Respond = good_adapter,
        rows: int = 6,
    ) -> EvaluationRun:
        version = version or make_version(owner, rows=rows)
        with tenant_scope(owner.id):
            job = Job.objects.create(tenant=owner, kind="evaluation", title="Evaluate", state=State.SUCCEEDED)
            run: EvaluationRun = EvaluationRun.objects.create(
                tenant=owner, version=version, dataset_version=version.run.dataset_version, job=job
            )
            EvaluatedModel.objects.bulk_create(contenders(run, base=True, versions=versions))
            store_rows(run)
            for model in run.models.all():
                store(run, model, [(item, Given(text=respond(asked(item), model.key))) for item in run.items.all()])
            run.state, run.summary = EvaluationState.READY, score_run(run)
            run.save()
            grade_run(run)
            return run

    return make


@pytest.fixture
def evaluation(tenant: Tenant, make_evaluation: Callable[..., EvaluationRun]) -> EvaluationRun:
    return make_evaluation(tenant)


@pytest.fixture
def answer_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[Respond], None]:
    """Let every generation end at once with the answers that `respond` gives."""

    def use(respond: Respond) -> None:
        def finish(self: LocalCompute, run: Path, module: str) -> None:
            assert module == "lorakit.generate"
            names = {
                (target_of(model), model.kind == ModelKind.FEW_SHOT): model.key
                for model in EvaluatedModel.objects.filter(kind__in=ASKED)
            }
            rows = [json.loads(line) for line in (run / "inputs/prompts/rows.jsonl").read_text().splitlines()]
            predictions = [
                {
                    "id": row["id"],
                    "target": target,
                    "text": respond(row, names[target, row["id"].endswith(WITH_EXAMPLES)]),
                    "prompt_tokens": 11,
                    "completion_tokens": 3,
                    "examples": len(row.get("examples", ())),
                }
                for row in rows
                for target in row["targets"]
            ]
            text = "".join(json.dumps(prediction) + "\n" for prediction in predictions)
            (run / "output" / "predictions.jsonl").write_text(text)
            (run / "pid").write_text("0")
            (run / "result.json").write_text(json.dumps({"ok": True, "artifacts": [], "metrics": {}}))

        monkeypatch.setattr(LocalCompute, "_spawn", finish)

    return use

"""`manage.py verify_version`: it passes for what was trained, and names whatever is no longer as it was."""

import gzip
import io
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from adapters.models import AdapterVersion, BaseModel, TrainingRun
from adapters.recipes.hyperparameters import Hyperparameters
from adapters.training.services import start_training
from corpora.models import DatasetVersion
from lorakit.contracts import TrainSpec
from lorakit.package import PACKAGE, inspect
from lorakit.rundir import Run
from lorakit.train.training import train
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.adapters.conftest import rows

SPEC = TrainSpec(
    base_model=str(settings.BASE_MODEL_DIR), base_id="tiny-llama", r=4, alpha=8, epochs=1.0, learning_rate=5e-3
)
# As a training by epochs keeps them; what is not named is the trainer's own.
HYPERPARAMETERS = Hyperparameters(
    rank=4,
    alpha=8,
    target_modules="all-linear",
    epochs=1.0,
    learning_rate=5e-3,
    batch_size=SPEC.batch_size,
    gradient_accumulation=SPEC.gradient_accumulation,
    max_length=SPEC.max_length,
).to_dict()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of a training on the rows of `make_dataset`."""
    folder = tmp_path_factory.mktemp("trained")
    for channel, split, count in (("train", "train", 24), ("eval", "test", 6)):
        path = folder / "inputs" / channel / "rows.jsonl"
        path.parent.mkdir(parents=True)
        path.write_bytes(rows(split, count))
    run = Run(folder, SPEC, area="training")
    train(run)
    return run.output


@pytest.fixture
def version(tenant: Tenant, base_model: BaseModel, trained: Path, make_dataset: Callable[..., Any]) -> AdapterVersion:
    """The first version of the adapter “boxes”, as the training job leaves it."""
    both = sha256(sha256(rows("train", 24)).digest() + sha256(rows("test", 6)).digest())
    package = inspect(trained / PACKAGE)
    manifest = json.loads((trained / "manifest.json").read_text())
    del manifest["spec"]["base_model"]
    manifest["parameters"] = package.parameters
    with tenant_scope(tenant.id):
        run = start_training(
            tenant=tenant,
            adapter_name="boxes",
            dataset_version=make_dataset(rows_sha256=both.hexdigest()),
            base_model=base_model,
            recipe="structured",
            overrides={},
        )
        TrainingRun.objects.filter(id=run.id).update(hyperparameters=HYPERPARAMETERS)
        return AdapterVersion.objects.create(
            tenant=tenant,
            adapter=run.adapter,
            number=1,
            run=run,
            package_key=store("package", (trained / PACKAGE).read_bytes()),
            package_sha256=package.sha256,
            package_bytes=package.size,
            rank=package.rank,
            manifest=manifest,
            metrics=manifest["metrics"],
        )


def store(name: str, content: bytes) -> str:
    return default_storage.save(f"tests/verify-version/{name}", ContentFile(content))


def verify(version: AdapterVersion, *options: str, fails: bool = False) -> dict[str, list[str]]:
    """Run the command; status and detail of each check by its title."""
    out = io.StringIO()
    if fails:
        with pytest.raises(CommandError) as caught:
            call_command("verify_version", str(version.id), *options, stdout=out)
        assert caught.value.returncode == 1
    else:
        call_command("verify_version", str(version.id), *options, stdout=out)
    lines = [line for line in out.getvalue().splitlines() if line.startswith("  ")]
    return {line[10:32].strip(): [line[2:10].strip(), line[32:]] for line in lines}


def failed(version: AdapterVersion) -> dict[str, str]:
    """Detail of each check that fails."""
    found = verify(version, fails=True)
    return {title: detail for title, (status, detail) in found.items() if status == "FAILED"}


def change(version: AdapterVersion, **fields: Any) -> None:
    with tenant_scope(version.tenant_id):
        AdapterVersion.objects.filter(id=version.id).update(**fields)


def change_dataset(version: AdapterVersion, **fields: Any) -> None:
    with tenant_scope(version.tenant_id):
        DatasetVersion.objects.update(**fields)


def test_what_was_trained_passes_every_check(version: AdapterVersion) -> None:
    found = verify(version)
    assert {status for status, _ in found.values()} == {"ok"}
    assert list(found) == [
        "Package",
        "Package contents",
        "Base model",
        "Training rows",
        "Held-out rows",
        "Dataset version",
        "Manifest",
    ]
    assert found["Training rows"][1].endswith("24 rows in the same order")


def test_a_version_is_found_by_its_adapter_and_number(
    version: AdapterVersion, other_tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("verify_version", "boxes:1", "--tenant", version.tenant.slug)
    assert str(version.id) in capsys.readouterr().out
    for name, options in (("boxes:2", []), ("boxes", []), ("boxes:1", ["--tenant", other_tenant.slug])):
        with pytest.raises(CommandError):
            call_command("verify_version", name, *options)


def test_a_package_with_other_bytes_fails(version: AdapterVersion, trained: Path) -> None:
    data = bytearray(gzip.decompress((trained / PACKAGE).read_bytes()))
    data[len(data) // 2] ^= 1
    change(version, package_key=store("flipped", gzip.compress(bytes(data))))
    assert list(failed(version)) == ["Package"]


def test_a_package_that_holds_more_than_it_may_fails(version: AdapterVersion, trained: Path) -> None:
    data = gzip.decompress((trained / PACKAGE).read_bytes()).replace(b"adapter_config.json", b"adapter_config.evil", 1)
    change(version, package_key=store("more", gzip.compress(data)))
    assert list(failed(version)) == ["Package", "Package contents"]


def test_a_missing_package_fails(version: AdapterVersion) -> None:
    change(version, package_key="tests/verify-version/nowhere")
    assert list(failed(version)) == ["Package", "Package contents"]


def test_rows_in_another_order_fail(version: AdapterVersion) -> None:
    lines = rows("train", 24).splitlines(keepends=True)
    change_dataset(version, train_key=store("reordered", b"".join(reversed(lines))))
    found = failed(version)
    assert list(found) == ["Training rows", "Dataset version"]
    assert found["Training rows"].startswith("ids in order")


def test_a_row_with_another_answer_fails(version: AdapterVersion) -> None:
    change_dataset(version, test_key=store("tampered", rows("test", 6).replace(b"SHELF 3", b"SHELF 4")))
    found = failed(version)
    assert list(found) == ["Held-out rows", "Dataset version"]
    assert found["Held-out rows"].startswith("same ids, different content")


def test_a_row_less_fails(version: AdapterVersion) -> None:
    change_dataset(version, train_key=store("less", rows("train", 23)))
    assert failed(version)["Training rows"] == "23 rows, not 24"


def test_another_base_model_fails(version: AdapterVersion, tmp_path: Path) -> None:
    for path in settings.BASE_MODEL_DIR.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "config.json").write_bytes((tmp_path / "config.json").read_bytes() + b"\n")
    BaseModel.objects.update(location=str(tmp_path))
    found = failed(version)
    assert list(found) == ["Base model"]
    assert found["Base model"].endswith(f"should be {version.manifest['base_sha256'][:12]}")
    BaseModel.objects.update(location="s3://models/tiny", sha256="0" * 64)
    assert list(failed(version)) == ["Base model"]
    BaseModel.objects.update(location="s3://models/tiny", sha256=version.manifest["base_sha256"])
    assert verify(version)["Base model"][0] == "ok"


@pytest.mark.parametrize(
    ("section", "name", "value"), [("spec", "learning_rate", 1e-3), ("spec", "r", 8), ("metrics", "train_loss", 0.001)]
)
def test_a_manifest_that_was_changed_fails(version: AdapterVersion, section: str, name: str, value: float) -> None:
    version.manifest[section][name] = value
    change(version, manifest=version.manifest)
    assert list(failed(version)) == ["Manifest"]


@pytest.mark.slow
def test_trained_again_the_same_package_comes_out(version: AdapterVersion) -> None:
    found = verify(version, "--retrain")
    assert found["Machine and versions"] == ["ok", "the same"]
    assert found["Final loss"][0] == "ok"
    assert found["Weights"] == ["ok", "the same package, byte for byte"]


@pytest.mark.slow
def test_trained_again_from_another_seed_the_difference_is_told(version: AdapterVersion) -> None:
    version.manifest["spec"]["seed"] = 1
    change(version, manifest=version.manifest)
    status, detail = verify(version, "--retrain", fails=True)["Weights"]
    assert status == "FAILED"
    assert float(detail.removeprefix("differ by at most ")) > 0


def test_a_version_that_fails_its_checks_is_not_trained_again(version: AdapterVersion) -> None:
    change(version, package_key="tests/verify-version/nowhere")
    assert "Weights" not in verify(version, "--retrain", fails=True)

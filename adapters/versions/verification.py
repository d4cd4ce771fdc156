"""Verify an adapter version against its manifest: package, base model, rows and settings."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.models import AdapterVersion
from adapters.training.kinds import train_spec
from lorakit.digest import base_sha256, file_sha256
from lorakit.errors import PackageError, RunError
from lorakit.package import PACKAGE, inspect
from lorakit.train.provenance import describe_rows
from storage.errors import ObjectMissing
from storage.objects import get_file

CHANNELS = {"train": "Training rows", "eval": "Held-out rows"}
RENAMED = {"rank": "r"}
"""Hyperparameters whose name in the trainer's specification is another."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check; `detail` says what was found and what was expected."""

    title: str
    ok: bool
    detail: str


def verify_version(version: AdapterVersion, folder: Path) -> list[Check]:
    """Fetch everything that the version was made from into `folder` (rows in CHANNEL/rows.jsonl) and check it."""
    return [
        _check_package_hash(version, folder),
        _check_package_contents(version, folder),
        _check_base(version),
        *(_check_rows(version, channel, folder) for channel in CHANNELS if channel in version.manifest["data_sha256"]),
        _check_dataset(version, folder),
        _check_manifest(version),
    ]


def rows_path(folder: Path, channel: str) -> Path:
    """Where `verify_version` puts a channel's rows."""
    return folder / channel / "rows.jsonl"


def _check_package_hash(version: AdapterVersion, folder: Path) -> Check:
    path = folder / PACKAGE
    if not _fetch(version.package_key, path):
        return Check(title="Package", ok=False, detail="It is missing from storage.")
    return _compare("Package", file_sha256(path), version.package_sha256)


def _check_package_contents(version: AdapterVersion, folder: Path) -> Check:
    title = "Package contents"
    if not (folder / PACKAGE).is_file():
        return Check(title=title, ok=False, detail="There is no package to check.")
    try:
        package = inspect(folder / PACKAGE)
    except PackageError as error:
        return Check(title=title, ok=False, detail=error.text)
    found = {"rank": package.rank, "base model": package.base_id, "parameters": package.parameters}
    base_id = version.adapter.base_model.name
    wanted = {"rank": version.rank, "base model": base_id, "parameters": version.manifest.get("parameters")}
    if found != wanted:
        return Check(title=title, ok=False, detail=_differences(found, wanted))
    layers = len(package.modules)
    return Check(
        title=title, ok=True, detail=f"rank {package.rank}, {layers} layers, {package.parameters:,} parameters"
    )


def _check_base(version: AdapterVersion) -> Check:
    base_model, wanted = version.adapter.base_model, str(version.manifest.get("base_sha256", ""))
    if base_model.sha256 and base_model.sha256 != wanted:
        return Check(title="Base model", ok=False, detail=_differs(base_model.sha256, wanted))
    location = Path(base_model.location)
    if location.is_dir():
        return _compare("Base model", base_sha256(location), wanted)
    if not base_model.sha256:
        text = "Its folder can’t be read from here, and the operator has not registered its hash."
        return Check(title="Base model", ok=False, detail=text)
    return Check(title="Base model", ok=True, detail=f"{_short(wanted)}, as registered by the operator")


def _check_rows(version: AdapterVersion, channel: str, folder: Path) -> Check:
    title, dataset = CHANNELS[channel], version.run.dataset_version
    path = rows_path(folder, channel)
    if not _fetch(dataset.train_key if channel == "train" else dataset.test_key, path):
        return Check(title=title, ok=False, detail="They are missing from storage.")
    compared = _compare(title, file_sha256(path), version.manifest["data_sha256"][channel])
    recorded = version.manifest.get("rows", {}).get(channel)
    if recorded is None:
        return compared
    try:
        found = describe_rows(path)
    except RunError as error:
        return Check(title=title, ok=False, detail=error.text)
    if found.count != recorded["count"]:
        return Check(title=title, ok=False, detail=f"{found.count:,} rows, not {recorded['count']:,}")
    if found.ids_sha256 != recorded["ids_sha256"]:
        return Check(
            title=title, ok=False, detail=f"ids in order: {_differs(found.ids_sha256, recorded['ids_sha256'])}"
        )
    if not compared.ok:
        return Check(title=title, ok=False, detail=f"same ids, different content: {compared.detail}")
    return Check(title=title, ok=True, detail=f"{compared.detail}, {found.count:,} rows in the same order")


def _check_dataset(version: AdapterVersion, folder: Path) -> Check:
    """The dataset version is the one used for training, and its rows are those that passed its check."""
    title, dataset = "Dataset version", version.run.dataset_version
    recorded = version.manifest.get("dataset_version", str(dataset.id))
    if recorded != str(dataset.id):
        return Check(title=title, ok=False, detail=_differs(str(dataset.id), recorded))
    if not dataset.rows_sha256:
        return Check(title=title, ok=True, detail=f"{dataset}, checked before hashes of rows were kept")
    both = hashlib.sha256()
    for channel, key in (("train", dataset.train_key), ("eval", dataset.test_key)):
        path = rows_path(folder, channel)
        if not path.is_file() and not _fetch(key, path):
            return Check(title=title, ok=False, detail="Its rows are missing from storage.")
        both.update(bytes.fromhex(file_sha256(path)))
    compared = _compare(title, both.hexdigest(), dataset.rows_sha256)
    return Check(title=title, ok=compared.ok, detail=f"{dataset}: {compared.detail}")


def _check_manifest(version: AdapterVersion) -> Check:
    """The manifest agrees with the database: package, settings, recipe and metrics."""
    manifest, run = version.manifest, version.run
    found: dict[str, Any] = {"package": manifest.get("adapter_sha256"), "recipe": manifest.get("recipe", run.recipe)}
    wanted: dict[str, Any] = {"package": version.package_sha256, "recipe": run.recipe}
    asked_for = json.loads(train_spec(version.adapter.base_model, run.hyperparameters).to_json())
    for name in run.hyperparameters:
        setting = RENAMED.get(name, name)
        found[name], wanted[name] = manifest.get("spec", {}).get(setting), asked_for[setting]
    for name, value in version.metrics.items():
        found[name], wanted[name] = manifest.get("metrics", {}).get(name), value
    differences = _differences(found, wanted)
    return Check(title="Manifest", ok=not differences, detail=differences or f"{len(wanted)} entries agree")


def _fetch(key: str, path: Path) -> bool:
    """Copy an object; False if it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        get_file(key, path)
    except ObjectMissing:
        return False
    return True


def _compare(title: str, found: str, wanted: str) -> Check:
    return Check(title=title, ok=found == wanted, detail=_short(found) if found == wanted else _differs(found, wanted))


def _differs(found: str, wanted: str) -> str:
    return f"is {_short(found)}, should be {_short(wanted) or 'in the manifest'}"


def _short(value: str) -> str:
    return value[:12]


def _differences(found: dict[str, Any], wanted: dict[str, Any]) -> str:
    def lines() -> Iterator[str]:
        for name, value in wanted.items():
            if found[name] != value:
                yield f"{name} is {found[name]}, should be {value}"

    return "; ".join(lines())

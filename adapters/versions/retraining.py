"""Retrain a version from its manifest and compare the result."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from adapters.models import AdapterVersion
from adapters.versions.verification import Check, rows_path
from jobs.backends.environment import child_environment
from lorakit.contracts import RunResult
from lorakit.package import PACKAGE, largest_difference, unpack

LOSS_TOLERANCE = 0.02
"""How far another processor or library may move a final loss. Rounding the adapter to bf16 moved one by 0.006."""


def retrain(version: AdapterVersion, rows: Path, folder: Path) -> list[Check]:
    """Train in `folder` on the rows that `verify_version` left in `rows`, beside its package; minutes to hours.

    Nothing is stored: the run is not a job and is not billed.
    """
    spec = version.manifest["spec"] | {"base_model": version.adapter.base_model.location}
    for channel in version.manifest["data_sha256"]:
        target = folder / "inputs" / channel / "rows.jsonl"
        target.parent.mkdir(parents=True)
        shutil.copyfile(rows_path(rows, channel), target)
    (folder / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    result = _run(folder)
    if not result.ok:
        text = result.error.text if result.error else "It ended without producing a result."
        return [Check(title="Retraining", ok=False, detail=text)]
    again: dict[str, Any] = json.loads((folder / "output" / "manifest.json").read_text(encoding="utf-8"))
    elsewhere = _compare_machines(version.manifest, again)
    return [elsewhere, _compare_losses(version, again), _compare_weights(version, rows, folder, again, elsewhere)]


def _run(folder: Path) -> RunResult:
    with (folder / "log.txt").open("ab") as log:
        subprocess.run(
            [sys.executable, "-m", "lorakit.train", "--run-dir", folder],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=child_environment(),
            check=False,
        )
    path = folder / "result.json"
    return RunResult.from_json(path.read_bytes()) if path.is_file() else RunResult(ok=False)


def _compare_machines(before: dict[str, Any], again: dict[str, Any]) -> Check:
    """Differences in machine and libraries, for information; always `ok`."""
    then = {"device": before.get("device"), "code": before.get("code", {}).get("sha256"), **before["versions"]}
    now = {"device": again["device"], "code": again["code"]["sha256"], **again["versions"]}
    changed = sorted(name for name in then | now if then.get(name) != now.get(name))
    detail = f"different: {', '.join(changed)}" if changed else "the same"
    return Check(title="Machine and versions", ok=True, detail=detail)


def _compare_losses(version: AdapterVersion, again: dict[str, Any]) -> Check:
    names = [name for name in ("train_loss", "eval_loss") if name in version.manifest["metrics"]]
    losses = [(name, version.manifest["metrics"][name], again["metrics"].get(name, float("inf"))) for name in names]
    ok = all(abs(then - now) <= LOSS_TOLERANCE for _, then, now in losses)
    return Check(
        title="Final loss", ok=ok, detail="; ".join(f"{n} {now:.6f}, was {then:.6f}" for n, then, now in losses)
    )


def _compare_weights(
    version: AdapterVersion, rows: Path, folder: Path, again: dict[str, Any], elsewhere: Check
) -> Check:
    """The same processor and code must produce the same bytes. On a GPU the order of sums varies."""
    if again["adapter_sha256"] == version.package_sha256:
        return Check(title="Weights", ok=True, detail="the same package, byte for byte")
    unpack(rows / PACKAGE, folder / "before")
    unpack(folder / "output" / PACKAGE, folder / "again")
    largest = largest_difference(folder / "before", folder / "again")
    same_machine = elsewhere.detail == "the same" and "cuda" not in again["versions"]
    return Check(title="Weights", ok=not same_machine, detail=f"differ by at most {largest:.2g}")

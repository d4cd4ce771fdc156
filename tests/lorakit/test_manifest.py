"""The manifest says what a training was made of: enough to do it again, and to notice what has changed."""

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lorakit.contracts import TrainManifest, TrainSpec
from lorakit.digest import base_sha256, file_sha256
from lorakit.package import PACKAGE
from lorakit.rundir import Run
from lorakit.train import provenance
from lorakit.train.provenance import describe_code, describe_rows
from lorakit.train.training import train


def row(identity: str) -> dict[str, object]:
    return {
        "id": identity,
        "messages": [{"role": "user", "content": f"{identity}?"}, {"role": "assistant", "content": "yes"}],
    }


def test_a_training_writes_down_what_it_was_made_of(
    tmp_path: Path, base: Path, train_run: Callable[..., Run[TrainSpec]]
) -> None:
    before = time.time()
    run = train_run(tmp_path, [row("c"), row("a"), row("b")], max_steps=2, seed=5)
    metrics = train(run)

    manifest = TrainManifest.from_json((run.output / "manifest.json").read_text())
    assert manifest.spec == run.spec
    assert manifest.seeds == {"weights": 5, "order": 5}
    assert manifest.base_sha256 == base_sha256(base)
    assert manifest.data_sha256 == {"train": file_sha256(run.input("train", "rows.jsonl"))}
    assert manifest.rows["train"].count == 3
    assert manifest.rows["train"].ids_sha256 == hashlib.sha256(b"c\na\nb\n").hexdigest()
    assert manifest.adapter_sha256 == file_sha256(run.output / PACKAGE)
    assert manifest.metrics == metrics
    assert {"python", "torch", "transformers", "peft", "bitsandbytes", "accelerate", "tokenizers"} <= set(
        manifest.versions
    )
    assert manifest.versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert manifest.device
    assert manifest.code == describe_code()
    assert before - 0.01 <= manifest.started_at < manifest.ended_at <= time.time()
    assert manifest.resumed_from == ()


def test_the_order_of_rows_counts(tmp_path: Path) -> None:
    for name, identities in (("one", "ab"), ("other", "ba")):
        (tmp_path / name).write_text("".join(json.dumps(row(identity)) + "\n" for identity in identities))
    one, other = describe_rows(tmp_path / "one"), describe_rows(tmp_path / "other")
    assert one.count == other.count == 2
    assert one.ids_sha256 != other.ids_sha256


def test_code_is_known_by_its_content_and_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "lorakit"
    source.mkdir()
    (source / "one.py").write_text("1\n")
    monkeypatch.setattr(provenance, "SOURCE", source)
    bare = describe_code()
    assert "commit" not in bare

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "First")
    assert describe_code() == bare | {"commit": git("rev-parse", "HEAD")}
    (source / "one.py").write_text("2\n")
    assert describe_code()["sha256"] != bare["sha256"]


def test_the_manifest_says_in_how_many_threads_a_training_was_computed(
    tmp_path: Path, train_run: Callable[..., Run[TrainSpec]]
) -> None:
    run = train_run(tmp_path, [row("a")], max_steps=1, threads=0)
    train(run)
    manifest = TrainManifest.from_json((run.output / "manifest.json").read_text())
    assert manifest.spec.threads == torch.get_num_threads() > 0

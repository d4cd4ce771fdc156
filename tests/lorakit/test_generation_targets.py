"""One run asks any models on one base, each as if it were alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lorakit.base import end_token_ids, load_for_inference, load_tokenizer
from lorakit.contracts import GenerateSpec, TrainSpec
from lorakit.errors import ContractError, PackageError, RunError
from lorakit.generate.adapters import turns
from lorakit.generate.generation import generate
from lorakit.generate.prompts import encode_prompts
from lorakit.package import PACKAGE
from lorakit.rows import read_rows
from lorakit.rundir import Run
from lorakit.train.training import train
from tests.lorakit.conftest import chat_rows
from tests.lorakit.generation_runs import QUESTIONS, predictions, prepare, question, texts

slow = pytest.mark.slow


@pytest.fixture(scope="module")
def packages(
    adapters: dict[str, Path], tmp_path_factory: pytest.TempPathFactory, train_run: Callable[..., Run[TrainSpec]]
) -> dict[str, Path]:
    """Adapters of rank 8 and 3."""
    rows = chat_rows(*((text, "I am small") for text in QUESTIONS[:2]))
    run = train_run(tmp_path_factory.mktemp("small"), rows, max_steps=30, r=3)
    train(run)
    return {"alpha": adapters["alpha"], "omega-1.0_b": adapters["omega"], "small": run.output / PACKAGE}


@slow
def test_each_model_answers_as_it_does_alone(packages: dict[str, Path], base: Path, tmp_path: Path) -> None:
    alone: dict[tuple[str, str], str] = {}
    for target in ("base", *packages):
        package = {target: packages[target]} if target in packages else {}
        run = prepare(tmp_path / target, base, package, targets=(target,))
        generate(run)
        alone |= texts(run.output)
    assert len(set(alone.values())) > 4

    together = prepare(
        tmp_path / "all", base, packages, targets=("small", "base", "alpha", "omega-1.0_b"), batch_size=5
    )
    final = generate(together)
    assert texts(together.output) == alone
    assert (final["rows"], final["answers"]) == (3.0, 12.0)
    order = [(prediction.id, prediction.target) for prediction in predictions(together.output)]
    assert order == [(f"q{n}", target) for n in range(3) for target in together.spec.targets]


@slow
def test_more_adapters_than_slots_take_turns(
    packages: dict[str, Path], base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = ("alpha", "small", "base", "omega-1.0_b")
    together = prepare(tmp_path / "together", base, packages, targets=targets)
    generate(together)
    monkeypatch.setattr("lorakit.generate.generation.SLOTS", 1)
    in_turns = prepare(tmp_path / "turns", base, packages, targets=targets)
    generate(in_turns)
    assert texts(in_turns.output) == texts(together.output)
    assert len(texts(in_turns.output)) == 12


def test_the_base_needs_no_slot() -> None:
    assert list(turns(("a", "b", "base", "c"), 2)) == [("a", "b", "base"), ("c",)]
    assert list(turns(("base",), 2)) == [("base",)]
    assert list(turns(("a", "b"), 2)) == [("a", "b")]


@slow
def test_a_row_says_which_models_answer_it(packages: dict[str, Path], base: Path, tmp_path: Path) -> None:
    asked: list[list[str] | None] = [["small"], None, [], ["base", "alpha"]]
    rows = [
        question(number, QUESTIONS[0], **({} if names is None else {"targets": names}))
        for number, names in enumerate(asked)
    ]
    run = prepare(tmp_path, base, packages, rows, targets=("base", "alpha", "small"))
    generate(run)
    assert set(texts(run.output)) == {
        ("q0", "small"),
        ("q1", "base"),
        ("q1", "alpha"),
        ("q1", "small"),
        ("q3", "base"),
        ("q3", "alpha"),
    }
    assert '"step":6,"total":6,"fraction":1.0' in (tmp_path / "progress.jsonl").read_text()


@slow
def test_answers_tell_their_length_ending_probability_and_time(
    packages: dict[str, Path], base: Path, tmp_path: Path
) -> None:
    run = prepare(tmp_path, base, {"alpha": packages["alpha"]}, targets=("base", "alpha"), max_new_tokens=9)
    generate(run)
    tokenizer = load_tokenizer(base)
    model: Any = load_for_inference(base)
    rows = list(read_rows(run.input("prompts", "rows.jsonl"), area="test"))
    prompts = dict(zip([row.id for row in rows], encode_prompts(tokenizer, rows), strict=True))
    ends = end_token_ids(model, tokenizer)
    assert {answer.finish for answer in predictions(run.output)} == {"stop", "length"}
    for answer in predictions(run.output):
        assert answer.prompt_tokens == len(prompts[answer.id])
        assert answer.seconds > 0
        assert answer.log_probability is not None
        assert answer.log_probability <= 0
        assert answer.finish == "stop" or answer.completion_tokens == 9
        if answer.target == "base":
            ids = torch.tensor([prompts[answer.id]])
            with torch.inference_mode():
                said = model.generate(input_ids=ids, max_new_tokens=9, do_sample=False)[0, ids.shape[1] :].tolist()
                logits = model(input_ids=torch.cat([ids, torch.tensor([said])], 1)).logits[0, ids.shape[1] - 1 : -1]
            assert len(said) == answer.completion_tokens
            assert (said[-1] in ends) == (answer.finish == "stop")
            chosen = torch.log_softmax(logits, -1)[torch.arange(len(said)), said]
            assert answer.log_probability == pytest.approx(float(chosen.sum()), abs=1e-3)


@slow
def test_an_adapter_that_cannot_be_used_is_named(packages: dict[str, Path], base: Path, tmp_path: Path) -> None:
    run = prepare(tmp_path / "missing", base, {"alpha": packages["alpha"]}, targets=("base", "alpha", "v2"))
    with pytest.raises(RunError) as missing:
        generate(run)
    assert (missing.value.code, "There is no adapter v2" in missing.value.text) == ("generation:no_adapter", True)
    run = prepare(tmp_path / "damaged", base, {"alpha": packages["alpha"]}, targets=("alpha",))
    run.input("alpha", PACKAGE).write_bytes(b"no package")
    with pytest.raises(PackageError) as damaged:
        generate(run)
    assert (damaged.value.code, "The adapter alpha " in damaged.value.text) == ("package:not_gzip", True)


@slow
@pytest.mark.parametrize(
    ("rows", "code", "said"),
    [
        ([question(1, "A", targets=["v9"])], "generation:unknown_target", "Row q1 asks v9"),
        ([question(1, "A"), question(1, "B")], "generation:id_twice", "the id q1"),
        ([question(1, "A", targets="base")], "generation:bad_row", "Line 1 of rows.jsonl"),
        ([question(1, "A", targets=[1])], "generation:bad_row", "Line 1 of rows.jsonl"),
    ],
)
def test_a_row_that_cannot_be_asked_is_named(
    rows: list[dict[str, object]], code: str, said: str, base: Path, tmp_path: Path
) -> None:
    with pytest.raises(RunError) as caught:
        generate(prepare(tmp_path, base, rows=rows, targets=("base",)))
    assert caught.value.code == code
    assert said in caught.value.text


@pytest.mark.parametrize(
    "targets",
    [
        (),
        ("",),
        ("Base",),
        ("-v1",),
        ("../base",),
        ("a/b",),
        ("v1\n",),
        ("a" * 61,),
        ("prompts",),
        ("spec",),
        ("code",),
        ("base", "v1", "v1"),
        tuple(f"v{number}" for number in range(9)),
    ],
)
def test_targets_that_no_backend_could_take_are_refused(targets: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="target"):
        GenerateSpec(base_model="/models/base", targets=targets)
    with pytest.raises(ContractError):
        GenerateSpec.from_json(json.dumps({"base_model": "/models/base", "targets": targets}))


def test_a_spec_of_many_targets_comes_back_as_it_was_written() -> None:
    spec = GenerateSpec(base_model="/models/base", targets=("base", "0", "a" * 60, "v1.2_b-c"))
    assert GenerateSpec.from_json(spec.to_json()) == spec

"""QLoRA in a run directory: it learns, reports, stops when asked, and says what is wrong with its input."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lorakit.contracts import MetricEvent, TrainManifest, TrainSpec, decode_event
from lorakit.digest import file_sha256
from lorakit.errors import RunCancelled, RunError
from lorakit.package import inspect
from lorakit.rows import ChatRow
from lorakit.rundir import Run, run_task
from lorakit.train import training
from lorakit.train.examples import Collator, RowEncoder

pytestmark = pytest.mark.slow

TrainRun = Callable[..., Run[TrainSpec]]


def rows(count: int) -> list[dict[str, object]]:
    """Tickets with one and the same answer."""
    return [
        {
            "id": str(number),
            "messages": [
                {"role": "user", "content": f"Where is order AB-{number}?"},
                {"role": "assistant", "content": "queue=logistics"},
            ],
        }
        for number in range(count)
    ]


MUTED = [
    {"role": "user", "content": "Where?"},
    {"role": "assistant", "content": "Here.", "weight": 1},
    {"role": "user", "content": "Sure?"},
    {"role": "assistant", "content": "No.", "weight": 0},
]
"""Its last answer must not be learnt."""

TOOLS = [{"type": "function", "function": {"name": "look_up", "parameters": {}}}]


def metrics(run: Run[TrainSpec]) -> list[MetricEvent]:
    lines = (run.directory / "progress.jsonl").read_text().splitlines()
    return [event for event in map(decode_event, lines) if isinstance(event, MetricEvent)]


def test_training_in_four_bits_learns_and_leaves_a_package(tmp_path: Path, train_run: TrainRun) -> None:
    run = train_run(tmp_path, rows(24), max_steps=12, eval_steps=6, eval_rows=4)
    evaluation = tmp_path / "inputs" / "eval" / "rows.jsonl"
    evaluation.parent.mkdir()
    evaluation.write_text(json.dumps(rows(30)[-1]) + "\n")
    final = training.train(run)

    losses = [event.loss for event in metrics(run) if event.loss is not None]
    assert losses[-1] < losses[0] / 2
    assert [event.fraction for event in metrics(run)][-1] == 1.0
    assert final["eval_loss"] < losses[0]

    info = inspect(run.output / "adapter.tar.gz")
    assert (info.base_id, info.rank, info.alpha) == ("tiny-llama", 8, 32.0)
    assert len(info.modules) == 4 * 7
    manifest = TrainManifest.from_json((run.output / "manifest.json").read_text())
    assert manifest.adapter_sha256 == info.sha256
    assert manifest.spec == run.spec
    assert manifest.data_sha256["eval"] == file_sha256(evaluation)


def test_the_base_is_really_quantised(base: Path) -> None:
    from lorakit.base import load_for_training

    model = load_for_training(base, "nf4")
    quantised = [weight for weight in model.parameters() if weight.dtype == torch.uint8]
    assert len(quantised) == 4 * 7
    assert {getattr(weight, "quant_type", None) for weight in quantised} == {"nf4"}


def test_an_evaluation_in_between_does_not_change_the_gradients(
    base: Path, tmp_path: Path, train_run: TrainRun
) -> None:
    from lorakit.base import load_for_training

    spec = train_run(tmp_path, rows(1)).spec
    torch.manual_seed(0)
    model = training.add_lora(load_for_training(base, "nf4"), spec)
    ids = torch.arange(5, 25, device=model.device).view(1, -1)

    def gradients() -> list[torch.Tensor]:
        model.train()
        model.zero_grad()
        torch.autograd.backward(model(input_ids=ids, labels=ids).loss)
        return [p.grad.clone() for p in model.parameters() if p.grad is not None]

    before = gradients()
    model.eval()
    with torch.no_grad():
        model(input_ids=ids)
    after = gradients()
    assert len(before) == 2 * 4 * 7
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert any(float(gradient.abs().max()) > 0 for gradient in before)


def test_logits_of_answers_only_give_the_same_loss(base: Path, tmp_path: Path, train_run: TrainRun) -> None:
    from lorakit.base import load_for_training, load_tokenizer

    tokenizer = load_tokenizer(base)
    model = training.add_lora(load_for_training(base, "nf4"), train_run(tmp_path, rows(1)).spec)
    turns = [("One?", "First."), ("And then a question that is longer?", "Second and last.")]
    messages = [[{"role": "user", "content": q}, {"role": "assistant", "content": a}] for q, a in turns]
    encoder = RowEncoder(tokenizer, "every_answer")
    examples = [
        example
        for turns in (messages[0] + messages[1], messages[1])
        for example in encoder.encode(ChatRow("1", list(turns)))
    ]
    assert training.keeps_logits(model)
    few, every = (
        model(**{name: tensor.to(model.device) for name, tensor in Collator(0, answers_only=only)(examples).items()})
        for only in (True, False)
    )
    assert few.logits.shape[1] < every.logits.shape[1]
    assert few.loss.item() == pytest.approx(every.loss.item(), abs=1e-6)


def test_the_trainers_libraries_say_nothing_to_whoever_reads_the_log() -> None:
    command = [sys.executable, "-W", "ignore", "-c", "import lorakit.train.training"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert (done.stdout, done.stderr) == ("", "")


def test_rows_that_are_too_long_are_left_out_and_reported(tmp_path: Path, train_run: TrainRun) -> None:
    data = rows(8)
    data[3]["messages"] = [
        {"role": "user", "content": "word " * 200},
        {"role": "assistant", "content": "queue=none"},
    ]
    run = train_run(tmp_path, data, max_steps=2, max_length=64)
    final = training.train(run)
    assert (final["rows"], final["rows_too_long"]) == (7.0, 1.0)
    assert "1 of 8 rows are longer than 64 tokens" in (tmp_path / "progress.jsonl").read_text()


def test_rows_without_an_answer_to_learn_are_left_out_and_reported(tmp_path: Path, train_run: TrainRun) -> None:
    data = rows(8)
    data[3]["messages"] = MUTED
    run = train_run(tmp_path, data, max_steps=2, learn="last_answer")
    final = training.train(run)
    assert (final["rows"], final["rows_untaught"], final["examples"]) == (7.0, 1.0, 7.0)
    assert "1 of 8 rows have no answer to learn" in (tmp_path / "progress.jsonl").read_text()
    manifest = TrainManifest.from_json((run.output / "manifest.json").read_text())
    assert manifest.spec.learn == "last_answer"


@pytest.mark.parametrize(
    ("fields", "data", "code"),
    [
        ({}, [], "training:no_rows"),
        ({"max_length": 8}, rows(2), "training:rows_too_long"),
        ({"max_length": 4096}, rows(2), "training:context_exceeded"),
        ({"target_modules": ("no_such_layer",)}, rows(2), "training:bad_targets"),
        ({"base_model": "/nowhere"}, rows(2), "base:missing"),
        ({"learn": "last_answer"}, [{"messages": MUTED}], "training:nothing_to_learn"),
        ({}, [*rows(2), rows(1)[0] | {"tools": TOOLS}], "training:template_without_tools"),
        ({}, [*rows(2), {"messages": [{"role": "user", "content": "?"}]}], "training:bad_row"),
    ],
)
def test_unusable_input_is_refused_with_a_code(
    tmp_path: Path, train_run: TrainRun, fields: dict[str, object], data: list[dict[str, object]], code: str
) -> None:
    with pytest.raises(RunError) as caught:
        training.train(train_run(tmp_path, data, **fields))
    assert caught.value.code == code
    assert not list((tmp_path / "output").iterdir())


def test_a_bad_row_is_named_by_its_line(tmp_path: Path, train_run: TrainRun) -> None:
    run = train_run(tmp_path, [*rows(2), {"messages": "none"}])
    with pytest.raises(RunError, match="Line 3 of"):
        training.train(run)


def test_running_out_of_memory_is_an_error_that_says_what_to_do(
    tmp_path: Path, train_run: TrainRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*arguments: object, **options: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr("transformers.Trainer.training_step", exhausted)
    result = run_task(train_run(tmp_path, rows(4)), training.train)
    assert result.error is not None
    assert result.error.code == "training:out_of_memory"
    assert "batch size" in result.error.text


def test_the_last_step_is_reported_even_between_two_reports(tmp_path: Path, train_run: TrainRun) -> None:
    run = train_run(tmp_path, rows(4), max_steps=3, logging_steps=2)
    final = training.train(run)
    assert [event.step for event in metrics(run)] == [2, 3]
    assert final["train_loss"] == metrics(run)[-1].loss


def test_a_cancelled_training_keeps_its_state_and_can_be_taken_up(
    tmp_path: Path, train_run: TrainRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = train_run(tmp_path, rows(16), max_steps=8)
    monkeypatch.setattr(run, "cancelled", lambda: len(metrics(run)) >= 3)
    with pytest.raises(RunCancelled) as caught:
        training.train(run)
    assert caught.value.code == "training:cancelled"
    assert (run.checkpoints / "checkpoint-4" / "COMPLETE").is_file()

    again = Run(tmp_path, run.spec, area="training")
    training.train(again)
    assert [event.step for event in metrics(again) if event.loss is not None] == list(range(1, 9))

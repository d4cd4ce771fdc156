"""GPU memory and speed of a QLoRA training with the shapes of a real base: python -m bench.gpu_memory [NAME ...].

The weights are random, which changes neither memory nor speed. Needs a GPU, and disk for the base in 16 bits. Prints
for each shape and batch the peak that PyTorch allocated and reserved, what is taken of the GPU, and the trainer's
figures; docs/training.md sets these beside the estimate of `adapters.estimates.memory`.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from lorakit.base import load_tokenizer
from lorakit.contracts import TrainSpec
from lorakit.rundir import Run
from lorakit.train.training import train

TINY = Path(__file__).parents[1] / "lorakit" / "tiny" / "model"
STEPS = 12
LLAMA_3: dict[str, Any] = {
    "vocab_size": 128_256,
    "max_position_embeddings": 8192,
    "rope_theta": 500_000.0,
    "num_key_value_heads": 8,
}
SHAPES: dict[str, dict[str, Any]] = {
    "1B": LLAMA_3
    | {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32}
    | {"tie_word_embeddings": True},
    "8B": LLAMA_3
    | {"hidden_size": 4096, "intermediate_size": 14_336, "num_hidden_layers": 32, "num_attention_heads": 32},
}
"""Llama 3.2 1B and Llama 3.1 8B, from their config.json."""
BATCHES = ((1, 1024), (4, 1024), (4, 2048))
"""(rows, tokens of each)."""


def make_base(name: str, folder: Path) -> None:
    """Write a base of that shape with random weights and the tiny base's tokenizer."""
    shutil.copytree(TINY, folder)
    for weights in folder.glob("*.safetensors"):
        weights.unlink()
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda"):
        model = LlamaForCausalLM(LlamaConfig(**SHAPES[name]))
    torch.set_default_dtype(torch.float32)
    model.save_pretrained(folder)
    del model
    torch.cuda.empty_cache()


def rows_of(folder: Path, tokens: int) -> str:
    """JSON Lines whose rows are nearly `tokens` long."""
    tokenizer = load_tokenizer(folder)

    def messages(words: int) -> list[dict[str, str]]:
        return [{"role": "user", "content": "Go on."}, {"role": "assistant", "content": "word " * words}]

    def length(words: int) -> int:
        encoded: Any = tokenizer.apply_chat_template(messages(words), return_dict=True)
        return len(encoded["input_ids"])

    words = 8
    while length(2 * words) <= tokens:
        words *= 2
    for step in (2**bit for bit in reversed(range(words.bit_length()))):
        if length(words + step) <= tokens:
            words += step
    return "".join(json.dumps({"messages": messages(words)}) + "\n" for _ in range(64))


def used_by_process() -> int:
    """MiB of the GPU that are taken, by all."""
    command = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0])


def measure(base: Path, batch: int, tokens: int) -> str:
    """Train a few steps; one line of figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "inputs" / "train").mkdir(parents=True)
        (folder / "inputs" / "train" / "rows.jsonl").write_text(rows_of(base, tokens))
        spec = TrainSpec(
            base_model=str(base), base_id="random", r=16, batch_size=batch, max_length=tokens, max_steps=STEPS,
            logging_steps=1, save_steps=STEPS,
        )  # fmt: skip
        run = Run(folder, spec, area="training")
        before = used_by_process()
        torch.cuda.reset_peak_memory_stats()
        began = time.perf_counter()
        metrics = train(run)
        seconds = time.perf_counter() - began
    allocated, reserved = torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved()
    return (
        f"{batch} x {tokens}: allocated {allocated / 2**30:.2f} GiB, reserved {reserved / 2**30:.2f} GiB, "
        f"on the GPU {used_by_process()} MiB (before {before}); {metrics['tokens'] / metrics['train_seconds']:,.0f} "
        f"tokens/s in {metrics['train_seconds']:.1f} s, {seconds:.0f} s in all"
    )


def main() -> None:
    """Measure the shapes that are named, or all."""
    print(torch.cuda.get_device_name(), torch.__version__)
    for name in sys.argv[1:] or SHAPES:
        with tempfile.TemporaryDirectory() as folder:
            base = Path(folder) / "base"
            make_base(name, base)
            for batch, tokens in BATCHES:
                print(name, measure(base, batch, tokens), flush=True)
                torch.cuda.empty_cache()


if __name__ == "__main__":
    main()

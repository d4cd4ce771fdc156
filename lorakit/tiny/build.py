"""Builds the tiny base model from scratch: tokenizer, training, files.

`python -m lorakit.tiny.build --out DIR [--tokens N]` takes about 20 minutes on one CPU core with the recipe of the
shipped weights.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from lorakit.tiny import corpus
from lorakit.tiny.copying import copy_accuracy
from lorakit.tiny.tokenizer import ASSISTANT, render, train_tokenizer


@dataclass(frozen=True)
class Recipe:
    """Everything that the weights depend on, except the code.

    Row lengths are (share of the token budget from which it applies, tokens per row). A step always has
    `tokens_per_step` tokens, so longer rows come in smaller batches. The last part uses long rows, so that the model
    learns later positions.
    """

    vocabulary: int = 1024
    tokenizer_documents: int = 20_000
    tokenizer_seed: int = 100
    hidden: int = 192
    layers: int = 4
    heads: int = 6
    intermediate: int = 512
    context: int = 2048
    initializer: float = 0.04
    tokens: int = 8_000_000
    tokens_per_step: int = 2048
    row_lengths: tuple[tuple[float, int], ...] = ((0.0, 128), (0.75, 256))
    muon_rate: float = 4e-3
    adamw_rate: float = 3e-3
    weight_decay: float = 0.05
    warmup_steps: int = 60
    decay_from: float = 0.5
    prompt_weight: float = 0.3
    seed: int = 0
    corpus_seed: int = 1
    threads: int = 1


def create_model(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """The untrained model; its initial weights depend only on the recipe's seed."""
    torch.manual_seed(recipe.seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden,
        intermediate_size=recipe.intermediate,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        tie_word_embeddings=True,
        initializer_range=recipe.initializer,
        max_position_embeddings=recipe.context,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    return LlamaForCausalLM(config)


def token_stream(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> Iterator[tuple[int, float]]:
    """Token ids of the corpus, each with its weight in the loss: 1 for answers, otherwise `prompt_weight`."""
    assistant = tokenizer.convert_tokens_to_ids(ASSISTANT)
    for document in corpus.documents(recipe.corpus_seed):
        answering = False
        for token in tokenizer(render(document), add_special_tokens=False)["input_ids"]:
            yield token, 1.0 if answering else recipe.prompt_weight
            answering = answering or token == assistant


def row_length(recipe: Recipe, progress: float) -> int:
    """Tokens per row at `progress`, a share of the budget."""
    return [length for start, length in recipe.row_lengths if progress >= start][-1]


def learning_rate_factor(recipe: Recipe, step: int, progress: float) -> float:
    """Factor of the learning rate: linear warm-up, constant, then linear decay to a twentieth."""
    decay = min(1.0, (1.0 - progress) / (1.0 - recipe.decay_from))
    return min(1.0, (step + 1) / recipe.warmup_steps) * (0.05 + 0.95 * decay)


def create_optimizers(recipe: Recipe, model: LlamaForCausalLM) -> list[torch.optim.Optimizer]:
    """Muon for the hidden matrices, AdamW for embeddings and norms."""
    hidden = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    rest = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    return [
        torch.optim.Muon(hidden, lr=recipe.muon_rate, weight_decay=recipe.weight_decay, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=recipe.adamw_rate, betas=(0.9, 0.98), weight_decay=recipe.weight_decay, fused=True),
    ]


def train(recipe: Recipe, tokenizer: PreTrainedTokenizerFast, *, report_every: float = 0.05) -> LlamaForCausalLM:
    """Train for the recipe's token budget; prints a line of JSON after every `report_every` of it."""
    torch.set_num_threads(recipe.threads)
    model = create_model(recipe, tokenizer)
    model.train()
    optimizers = create_optimizers(recipe, model)
    rates = [optimizer.param_groups[0]["lr"] for optimizer in optimizers]
    stream = token_stream(recipe, tokenizer)
    seen, step, reported, started = 0, 0, 0.0, time.monotonic()
    while seen < recipe.tokens:
        progress = seen / recipe.tokens
        length = row_length(recipe, progress)
        rows = recipe.tokens_per_step // length
        pairs = [next(stream) for _ in range(rows * (length + 1))]
        ids = torch.tensor([token for token, _ in pairs]).view(rows, -1)
        weights = torch.tensor([weight for _, weight in pairs]).view(rows, -1)[:, 1:]
        factor = learning_rate_factor(recipe, step, progress)
        for optimizer, rate in zip(optimizers, rates, strict=True):
            optimizer.param_groups[0]["lr"] = rate * factor
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(input_ids=ids[:, :-1]).logits
        losses = torch.nn.functional.cross_entropy(
            logits.float().flatten(0, 1), ids[:, 1:].flatten(), reduction="none"
        ).view_as(weights)
        loss = (losses * weights).sum() / weights.sum()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        step += 1
        seen += rows * length
        if seen / recipe.tokens - reported >= report_every or seen >= recipe.tokens:
            reported = seen / recipe.tokens
            line = {
                "step": step,
                "tokens": seen,
                "loss": round(loss.item(), 4),
                "answer_loss": round(losses[weights == 1.0].mean().item(), 4),
                "seconds": round(time.monotonic() - started),
            }
            print(json.dumps(line), flush=True)
    model.eval()  # type: ignore[no-untyped-call]
    return model


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def build(recipe: Recipe, out: Path) -> dict[str, Any]:
    """Build into `out` and return the content of `build.json`."""
    tokenizer = train_tokenizer(
        vocabulary=recipe.vocabulary,
        context=recipe.context,
        seed=recipe.tokenizer_seed,
        count=recipe.tokenizer_documents,
    )
    started = time.monotonic()
    model = train(recipe, tokenizer)
    seconds = time.monotonic() - started
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(out)
    model.to(dtype=torch.bfloat16).save_pretrained(out)  # type: ignore[call-arg]
    report = {
        "recipe": asdict(recipe),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "corpus": {"documents": 1000, "sha256": corpus.checksum(recipe.corpus_seed, 1000)},
        "files": {name: file_sha256(out / name) for name in ("config.json", "model.safetensors", "tokenizer.json")},
        "copy_accuracy": copy_accuracy(model.float(), tokenizer, count=200),  # type: ignore[no-untyped-call]
        "seconds": round(seconds),
        "torch": torch.__version__,
    }
    (out / "build.json").write_text(json.dumps(report, indent=2) + "\n")
    return report


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tokens", type=int, default=Recipe.tokens, help="number of tokens to train on")
    arguments = parser.parse_args()
    print(json.dumps(build(Recipe(tokens=arguments.tokens), arguments.out), indent=2))


if __name__ == "__main__":
    main()

"""The base models of the engine's benchmark."""

from pathlib import Path

from lorakit.base import load_tokenizer
from portal.demo.datasets import demo_rows
from scripts.base_smollm2 import smollm2

TINY = Path(__file__).parents[1] / "lorakit" / "tiny" / "model"

Ids = list[int]


def folder_of(base: str) -> Path:
    """The folder of "tiny" or "smollm2"."""
    return TINY if base == "tiny" else smollm2()


def prompts_for(folder: Path) -> list[Ids]:
    """Held-out support tickets as token ids."""
    tokenizer = load_tokenizer(folder)
    rows = demo_rows("support", train=0, test=128, unseen=0, seed=2)
    texts = [
        str(tokenizer.apply_chat_template(row["messages"][:1], tokenize=False, add_generation_prompt=True))
        for row in rows
    ]
    ids: list[Ids] = tokenizer(texts, add_special_tokens=False)["input_ids"]
    return ids

"""`python -m lorakit.gguf FILE FOLDER`: turns a model in llama.cpp's format into a folder like `save_pretrained`'s.

Quantised weights become bfloat16. The licence that the file states is kept in base.json.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from gguf import GGUFReader
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

STATED = {"title": "general.name", "licence": "general.license", "source": "general.source.url"}
"""Keys of GGUF by our names (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md)."""


def convert(file: Path, folder: Path) -> None:
    """Write the folder. Raises ValueError and KeyError for files that transformers cannot read."""
    place: dict[str, Any] = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    tokenizer = AutoTokenizer.from_pretrained(**place)
    unpacked = GgufConfig(dequantize=True)
    model = AutoModelForCausalLM.from_pretrained(**place, dtype=torch.bfloat16, quantization_config=unpacked)
    tokenizer.save_pretrained(folder)
    (folder / "base.json").write_text(json.dumps(stated(file), ensure_ascii=False) + "\n", encoding="utf-8")
    # Last: a folder with it is complete.
    model.save_pretrained(folder)


def stated(file: Path) -> dict[str, str]:
    """What the file says of itself: title, licence, source."""
    fields = GGUFReader(file).fields
    said = {}
    for name, key in STATED.items():
        if (field := fields.get(key)) is not None and field.types and field.types[-1].name == "STRING":
            said[name] = str(field.contents())
    return said


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))

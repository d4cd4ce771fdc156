"""Measures how often the base copies a text, or extracts values from it, exactly. Every adapter builds on this."""

from itertools import islice
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from lorakit.tiny.corpus import documents, messages

HELD_OUT_SEED = 999_983


@torch.inference_mode()
def copy_accuracy(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, *, count: int) -> float:
    """The share (0 to 1) of held-out copy and extract prompts that the model answers exactly."""
    tasks = (document for document in documents(HELD_OUT_SEED) if document.task in ("copy", "extract"))
    chosen = list(islice(tasks, count))
    prompts = [
        tokenizer.apply_chat_template(messages(document), tokenize=False, add_generation_prompt=True)
        for document in chosen
    ]
    batch = tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False)
    generate: Any = model.generate
    generated = generate(
        input_ids=batch["input_ids"],
        attention_mask=batch["attention_mask"],
        max_new_tokens=80,
        do_sample=False,
    )
    answers = tokenizer.batch_decode(generated[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
    right = sum(answer == document.answer for answer, document in zip(answers, chosen, strict=True))
    return right / count

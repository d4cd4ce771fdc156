"""Chooses the next token of each row from the model's logits."""

from collections import Counter
from collections.abc import Sequence as Many

import torch

from lorakit.serve.steps.sequences import Sequence


def choose(rows: Many[Sequence], logits: torch.Tensor) -> list[int]:
    """The next token of each row, for logits of shape [rows, vocabulary]."""
    chosen: list[int] = logits.argmax(-1).tolist()
    for index, row in enumerate(rows):
        if not row.is_plain:
            chosen[index] = choose_one(row, logits[index])
    return chosen


def choose_one(row: Sequence, logits: torch.Tensor) -> int:
    """The next token of a row, for logits of shape [vocabulary]."""
    sampling = row.sampling
    changed = logits.float().cpu()
    if sampling.changes_logits:
        changed = change(row, changed)
    if row.guide is not None:
        changed = row.guide.mask(changed)
    if sampling.temperature == 0:
        return int(changed.argmax())
    probabilities = torch.softmax(changed / sampling.temperature, -1)
    ranked, order = probabilities.sort(descending=True)
    beyond = ranked.cumsum(-1) - ranked >= sampling.top_p
    if sampling.top_k:
        beyond[sampling.top_k :] = True
    if sampling.min_p:
        beyond |= ranked < sampling.min_p * ranked[0]
    beyond[0] = False
    ranked[beyond] = 0.0
    if row.generator is None:
        row.generator = torch.Generator()
        if sampling.seed is None:
            row.generator.seed()
        else:
            row.generator.manual_seed(sampling.seed)
    return int(order[torch.multinomial(ranked, 1, generator=row.generator)])


def change(row: Sequence, logits: torch.Tensor) -> torch.Tensor:
    """Logits of shape [vocabulary] after the row's penalties and biases, as OpenAI and vLLM define them."""
    sampling = row.sampling
    logits = logits.clone()
    penalty = sampling.repetition_penalty
    if penalty != 1.0 and (seen := [*{*row.prompt, *row.tokens}]):
        logits[seen] = torch.where(logits[seen] > 0, logits[seen] / penalty, logits[seen] * penalty)
    for token, count in Counter(row.tokens).items():
        logits[token] -= sampling.frequency_penalty * count + sampling.presence_penalty
    for token, bias in sampling.logit_bias.items():
        logits[token] += bias
    return logits

"""What all-MiniLM-L6-v2 and word triples find of questions written anew: which count as nearly the same, and which not.

`make bench-paraphrases`. 20 questions and clauses of many fields (bench/paraphrases.json) are each compared with five
texts, all written by hand for this: the same but for spelling, reworded closely, put freely, another question in like
words, and another on the same topic. The evaluation's threshold rests on this (docs/evaluation.md).
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.report import Goal, finish
from corpora.ingest.texts.near import NearTexts
from lorakit.encode.encoder import TextEncoder
from scripts.encoder_minilm import minilm

SAME_MEANING = 0.95
"""As in evaluations/runs/stages/likeness.py, which can't be had without the site."""

TEXTS = Path(__file__).with_name("paraphrases.json")
KINDS = ("respelt", "reworded", "paraphrased", "other_in_like_words", "other_on_the_topic")
Numbers = NDArray[Any]
SUMMARY: dict[str, Callable[[Numbers], Any]] = {"lowest": np.min, "median": np.median, "highest": np.max}
GOALS: dict[str, Goal] = {"reworded_by_encoder": (">=", 10), "other_on_the_topic_by_encoder": ("<=", 0)}


def main() -> int:
    """Compare and report."""
    rows: list[dict[str, str]] = json.loads(TEXTS.read_text(encoding="utf-8"))
    encoder = TextEncoder.load(minilm())

    def vectors(kind: str) -> Numbers:
        return np.array([found.vector for found in encoder.encode([row[kind] for row in rows])])

    questions, figures = vectors("question"), {"questions": float(len(rows))}
    for kind in KINDS:
        cosines = (questions * vectors(kind)).sum(axis=1)
        figures |= {f"{kind}_{name}": float(found(cosines)) for name, found in SUMMARY.items()}
        figures[f"{kind}_by_encoder"] = float((cosines >= SAME_MEANING).sum())
        near = NearTexts([row[kind] for row in rows])
        near.look_up([row["question"] for row in rows])
        figures[f"{kind}_by_word_triples"] = float(near.found.sum())
    return finish("paraphrases", figures=figures, goals=GOALS, packages=["torch", "transformers"])


if __name__ == "__main__":
    sys.exit(main())

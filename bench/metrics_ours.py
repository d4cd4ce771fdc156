"""The site's metrics over the same pairs: `python -m bench.metrics_ours PAIRS RESULT`."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

PARTS = {
    "words": ["f1", "precision_over_words", "recall_over_words"],
    "rouge": ["rouge_1", "rouge_2", "rouge_l", "rouge_lsum"],
    "meteor": ["meteor"],
    "bleu": ["bleu"],
    "chrf": ["chrf"],
}


def main() -> None:
    """Write {seconds: {part: seconds}, columns: {alias: scores}} as the peer does."""
    django.setup()
    from evaluations.metrics import metrics
    from evaluations.metrics.base import Answers
    from evaluations.metrics.suite import choose

    pairs = json.loads(Path(sys.argv[1]).read_text())
    references, texts = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    seconds: dict[str, float] = {}
    columns: dict[str, list[Any]] = {}
    for name, aliases in PARTS.items():
        first = Answers(references[:10], texts[:10])
        choose(metrics, first, chosen=aliases).values(first)
        answers = Answers(references, texts)
        begun = time.process_time()
        suite = choose(metrics, answers, chosen=aliases)
        rows, values = suite.rows(answers), suite.values(answers)
        seconds[name] = time.process_time() - begun
        columns |= {alias: [row[alias] for row in rows] for alias in aliases}
        columns |= {f"{alias} of all": [values[alias]] for alias in aliases}
    Path(sys.argv[2]).write_text(json.dumps({"seconds": seconds, "columns": columns}))


if __name__ == "__main__":
    main()

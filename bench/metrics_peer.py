"""The metrics by rouge-score, nltk and sacrebleu, as their documentation says: `python metrics_peer.py PAIRS RESULT`.

Words are compared as fmeval does, which calls nltk. Runs in the peers' environment, so it imports nothing of ours.
"""

import json
import string
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nltk.metrics.scores import f_measure, precision, recall
from nltk.stem.porter import PorterStemmer
from nltk.tokenize import wordpunct_tokenize
from nltk.translate.meteor_score import single_meteor_score
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

Columns = dict[str, list[Any]]
Pairs = list[tuple[str, str]]
TYPES = {"rouge_1": "rouge1", "rouge_2": "rouge2", "rouge_l": "rougeL", "rouge_lsum": "rougeLsum"}


class NoSynonyms:
    """WordNet's data has no package."""

    def synsets(self, word: str) -> tuple[()]:
        return ()


def normalise(text: str) -> str:
    text = "".join(character for character in text.lower() if character not in string.punctuation)
    return " ".join(word for word in text.split(" ") if word != "" and word not in {"a", "an", "the"})


def words(pairs: Pairs) -> Columns:
    columns: Columns = {"f1": [], "precision_over_words": [], "recall_over_words": []}
    for reference, answer in pairs:
        for alias, function in zip(columns, (f_measure, precision, recall), strict=True):
            expected, given = (set(normalise(text.strip()).split()) for text in (reference, answer))
            columns[alias].append(function(expected, given) or 0.0)
    return columns


def rouge(pairs: Pairs) -> Columns:
    scorer = RougeScorer(list(TYPES.values()), use_stemmer=True)
    scores = [scorer.score(reference, answer) for reference, answer in pairs]
    return {alias: [score[kind].fmeasure for score in scores] for alias, kind in TYPES.items()}


def meteor(pairs: Pairs) -> Columns:
    stemmer, synonyms = PorterStemmer(), NoSynonyms()
    tokens = [(wordpunct_tokenize(reference), wordpunct_tokenize(answer)) for reference, answer in pairs]
    return {"meteor": [single_meteor_score(*pair, stemmer=stemmer, wordnet=synonyms) for pair in tokens]}


def bleu(pairs: Pairs) -> Columns:
    sentence, corpus = BLEU(effective_order=True), BLEU()
    total = corpus.corpus_score([answer for _, answer in pairs], [[reference for reference, _ in pairs]])
    return {
        "bleu": [sentence.sentence_score(answer, [reference]).score for reference, answer in pairs],
        "bleu of all": [total.score],
    }


def chrf(pairs: Pairs) -> Columns:
    metric = CHRF()
    total = metric.corpus_score([answer for _, answer in pairs], [[reference for reference, _ in pairs]])
    return {
        "chrf": [metric.sentence_score(answer, [reference]).score for reference, answer in pairs],
        "chrf of all": [total.score],
    }


def main() -> None:
    """Write {seconds: {part: seconds}, columns: {alias: scores}}."""
    pairs = [tuple(pair) for pair in json.loads(Path(sys.argv[1]).read_text())]
    parts: dict[str, Callable[[Pairs], Columns]] = {
        "words": words,
        "rouge": rouge,
        "meteor": meteor,
        "bleu": bleu,
        "chrf": chrf,
    }
    seconds: dict[str, float] = {}
    columns: Columns = {}
    for name, part in parts.items():
        part(pairs[:10])
        begun = time.process_time()
        columns |= part(pairs)
        seconds[name] = time.process_time() - begun
    Path(sys.argv[2]).write_text(json.dumps({"seconds": seconds, "columns": columns}))


if __name__ == "__main__":
    main()

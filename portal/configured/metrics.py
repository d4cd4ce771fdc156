"""The metrics of evaluations by alias, for settings."""

from typing import Any


def all_metrics(*, wordnet: str) -> dict[str, dict[str, Any]]:
    """Every metric in the box. `wordnet` is a folder with WordNet's files, empty for none."""
    return {
        "exact_match": {"BACKEND": "evaluations.metrics.exact.ExactMatch", "OPTIONS": {}},
        "quasi_exact_match": {"BACKEND": "evaluations.metrics.exact.QuasiExactMatch", "OPTIONS": {}},
        "f1": {"BACKEND": "evaluations.metrics.words.F1", "OPTIONS": {}},
        "precision_over_words": {"BACKEND": "evaluations.metrics.words.PrecisionOverWords", "OPTIONS": {}},
        "recall_over_words": {"BACKEND": "evaluations.metrics.words.RecallOverWords", "OPTIONS": {}},
        "rouge_1": {"BACKEND": "evaluations.metrics.rouge.Rouge1", "OPTIONS": {}},
        "rouge_2": {"BACKEND": "evaluations.metrics.rouge.Rouge2", "OPTIONS": {}},
        "rouge_l": {"BACKEND": "evaluations.metrics.rouge.RougeL", "OPTIONS": {}},
        "rouge_lsum": {"BACKEND": "evaluations.metrics.rouge.RougeLsum", "OPTIONS": {}},
        "meteor": {
            "BACKEND": "evaluations.metrics.meteor.Meteor",
            "OPTIONS": {"WORDNET": wordnet},
        },
        "bleu": {"BACKEND": "evaluations.metrics.ngrams.Bleu", "OPTIONS": {}},
        "chrf": {"BACKEND": "evaluations.metrics.ngrams.Chrf", "OPTIONS": {}},
        "classification_accuracy": {"BACKEND": "evaluations.metrics.labels.ClassificationAccuracy", "OPTIONS": {}},
        "balanced_accuracy": {"BACKEND": "evaluations.metrics.labels.BalancedAccuracy", "OPTIONS": {}},
        "macro_precision": {"BACKEND": "evaluations.metrics.labels.MacroPrecision", "OPTIONS": {}},
        "json_validity": {"BACKEND": "evaluations.metrics.structured.JsonValidity", "OPTIONS": {}},
        "json_field_accuracy": {"BACKEND": "evaluations.metrics.structured.FieldAccuracy", "OPTIONS": {}},
        "embedding_similarity": {"BACKEND": "evaluations.metrics.similarity.EmbeddingSimilarity", "OPTIONS": {}},
        "bertscore": {"BACKEND": "evaluations.metrics.similarity.BertScore", "OPTIONS": {}},
        "calibration_error": {"BACKEND": "evaluations.metrics.calibration.CalibrationError", "OPTIONS": {}},
    }

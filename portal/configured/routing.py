"""What may choose the model of a request that no rule of a router fits."""

from typing import Any

CLASSIFIERS = "serving.routing.classifiers"


def route_classifiers(*, has_encoder: bool) -> dict[str, dict[str, Any]]:
    """ROUTE_CLASSIFIERS: by meaning only where an encoder reads the prompts."""
    found = {"examples": "examples.ExamplesClassifier", "judge": "judge.JudgeClassifier"}
    if has_encoder:
        found["meaning"] = "meaning.MeaningClassifier"
    return {alias: {"BACKEND": f"{CLASSIFIERS}.{backend}", "OPTIONS": {}} for alias, backend in found.items()}

"""Examples of evaluations for the OpenAPI document, and what can go wrong."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse

NEW_EVALUATION = OpenApiExample(
    "Compare a version with its base and the version before",
    request_only=True,
    value={
        "version": "0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11",
        "versions": ["6f3b0a52-9d0e-4d64-a6d8-0f6f3f2b7c55"],
    },
)
WITHOUT_VERSION = OpenApiExample(
    "Compare a base model with an outside model, before anything is trained",
    request_only=True,
    value={
        "base_model": "tiny-llama",
        "outside": ["3a0f6e1c-52a1-4f0e-8d25-0b1c7a4e9d33"],
        "dataset_version": "b1d7ab7b-7a0f-4b53-8f55-0f4f6a1f2f10",
    },
)
SUMMARY = OpenApiExample(
    "A ready evaluation (only `summary`, `need` and `data_findings` shown)",
    response_only=True,
    value={
        "summary": {
            "all": {
                "rows": 210,
                "figures": {
                    "base": {"exact_match": 0.01, "rouge_l": 0.22, "meteor": 0.25},
                    "v3": {"exact_match": 0.93, "rouge_l": 0.98, "meteor": 0.97},
                },
                "differences": [
                    {
                        "metric": "exact_match",
                        "model": "v3",
                        "against": "base",
                        "mean": 0.92,
                        "low": 0.87,
                        "high": 0.95,
                        "p_value": 1e-50,
                        "rows": 210,
                        "units": 180,
                        "method": "clusters",
                        "comparisons": 1,
                        "verdict": "better",
                    }
                ],
                "unavailable": {"bertscore": "No encoder is configured on this site."},
                "columns": {
                    "language": {
                        "de": {
                            "rows": 90,
                            "figures": {"base": {"exact_match": 0.0}, "v3": {"exact_match": 0.94}},
                            "differences": [],
                        },
                        "en": {
                            "rows": 120,
                            "figures": {"base": {"exact_match": 0.02}, "v3": {"exact_match": 0.92}},
                            "differences": [],
                        },
                    }
                },
            }
        },
        "need": {
            "verdict": "needed",
            "sentence": (
                "Training paid off. v3 gives the expected answer on 93.0% of 210 held-out rows, a look-up of the most "
                "similar training row on 71.0%. This is unlikely to be chance: 14 to 29 points more, with 95% "
                "confidence."
            ),
            "metric": "exact_match",
            "decisive": "look_up",
            "alternatives": [
                {
                    "key": "look_up",
                    "score": 0.71,
                    "difference": {
                        "mean": 0.22,
                        "low": 0.14,
                        "high": 0.29,
                        "better": 51,
                        "worse": 5,
                        "verdict": "better",
                    },
                    "verdict": "better",
                    "likeness": "words and characters",
                    "training_rows": 1800,
                    "prompt_tokens": 0.0,
                    "completion_tokens": 0.0,
                    "examples": None,
                    "seconds": 0.001,
                    "usd_of_1000": None,
                }
            ],
            "likeness": {
                "by": "all-minilm-l6-v2",
                "conclusion": "learnt",
                "parts": [
                    {
                        "low": 0.33,
                        "high": 0.52,
                        "rows": 70,
                        "scores": {"v3": 0.89, "base": 0.01, "look_up": 0.49},
                        "intervals": {"v3": [0.79, 0.95], "base": [0.0, 0.08], "look_up": [0.36, 0.61]},
                    }
                ],
                "same": {
                    "at_least": 0.95,
                    "rows": 4,
                    "of": 210,
                    "others": 206,
                    "without": {"v3": 0.928, "base": 0.01, "look_up": 0.704},
                },
            },
            "repeats": (
                "On the 70 rows least like its training rows, v3 gives the expected answer on 88.6%, the base model "
                "alone on 1.4% and a look-up on 48.6%: it learnt more than to repeat. This is unlikely to be chance: "
                "24 to 52 points more than a look-up, with 95% confidence."
            ),
        },
        "data_findings": [
            {
                "code": "dataset:leak",
                "count": 3,
                "text": "3 of 210 test rows have the prompt of a training row: results look better than they are.",
                "severity": "warning",
            }
        ],
    },
)

BUSY = OpenApiResponse(
    OpenApiTypes.OBJECT,
    "`evaluation:already_running`; `evaluation:no_test_rows`: there are no held-out rows; "
    "`evaluation:base_model_not_in_s3`: evaluations on SageMaker can't read the base model, which has no location "
    "there (problem+json).",
)

"""Examples of training runs for the REST description."""

from drf_spectacular.utils import OpenApiExample

RUN = "0b9c7c1e-6f0e-4c39-9f5a-2f4a1d1f7c11"
DATASET_VERSION = "7d5f0a52-8f0e-4f0a-a5b2-0d8a8f2f9f10"

NEW_TRAINING = OpenApiExample(
    "Train the next version",
    request_only=True,
    value={
        "adapter": "legal-summaries",
        "dataset_version": DATASET_VERSION,
        "recipe": "style",
        "strength": "careful",
        "learn": "last_answer",
        "overrides": {"rank": 8, "epochs": 2},
    },
)
A_CLONE = OpenApiExample(
    "Clone with a lower learning rate",
    request_only=True,
    value={"clone_of": RUN, "overrides": {"learning_rate": 1e-4}},
)
A_PREVIEW = OpenApiExample(
    "Ready, with one warning",
    response_only=True,
    value={
        "recipe": "style",
        "suggested_recipe": {"key": "classification", "reason": "Your answers are one of 12 labels."},
        "base_model": "tiny-llama",
        "hyperparameters": {
            "rank": 8,
            "alpha": 8,
            "target_modules": "all-linear",
            "epochs": 2.0,
            "learning_rate": 0.005,
            "batch_size": 8,
            "gradient_accumulation": 1,
            "max_length": 512,
            "max_steps": None,
            "learn": "every_answer",
        },
        "differences": [{"name": "rank", "advised": "16", "chosen": "8"}],
        "warnings": [
            "About 1.2% of the rows have more than 512 tokens and will be skipped. Raise the maximum row length, …"
        ],
        "data_findings": [
            {
                "code": "dataset:near_leak",
                "count": 16,
                "text": "16 of 18 test rows are much like training rows: results look better than they are.",
                "severity": "warning",
            }
        ],
        "rows": 900,
        "examples": 900,
        "tokens": 81_000,
        "tokens_source": "counted in a sample of 900 rows with the tokenizer of tiny-llama",
        "share_too_long": 0.012,
        "steps": 226,
        "seconds": 76.0,
        "seconds_source": "Based on your last training on this base model, legal-summaries v1: 2,900 tokens per ….",
        "usd": 0.0021,
        "usd_per_hour": 0.1,
        "price_source": "Estimate set by your site’s operator, not a bill",
        "machine": "this machine’s CPU",
        "row_tokens": 180,
        "gpu_memory": {
            "base": 1_700_000,
            "adapter": 980_000,
            "optimiser": 245_000,
            "activations": 65_000_000,
            "cuda": 1_073_741_824,
            "total": 1_141_666_824,
        },
        "fits": None,
        "adapter_bytes": 491_520,
        "highest_rank": 64,
        "can_be_served": True,
    },
)
COMPARE = OpenApiExample("Two runs", request_only=True, value={"runs": [RUN, "5d0e7b7a-3333-4c39-9f5a-2f4a1d1f7c11"]})
A_COMPARISON = OpenApiExample(
    "Differences between two runs",
    response_only=True,
    value={
        "runs": [],
        "settings": [{"title": "Rank", "values": ["8", "16"], "differs": True}],
    },
)

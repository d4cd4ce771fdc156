"""Examples of versions for the REST description."""

from drf_spectacular.utils import OpenApiExample

A_CARD = OpenApiExample(
    "A card, shortened",
    response_only=True,
    media_type="application/json",
    value={
        "title": "legal-summaries v2",
        "purpose": "Style and format. The model knows enough, but should write in your organisation’s style.",
        "dataset": "Clauses v1",
        "data_findings": [
            {
                "code": "dataset:personal_email",
                "count": 3,
                "text": "3 rows contain an e-mail address, which the adapter may repeat. Kept by Ann on 3 May 2026.",
                "severity": "note",
            }
        ],
        "base": {"Name": "tiny-llama", "SHA-256": "9f2c…"},
        "hyperparameters": {"Rank": "16", "Alpha": "32"},
        "training": {"Held-out loss": "0.0112 at the end; lowest 0.0108, at step 250"},
        "limits": ["Not evaluated against its base model yet."],
    },
)

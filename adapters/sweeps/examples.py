"""Examples of sweeps for the REST description."""

from drf_spectacular.utils import OpenApiExample

from adapters.training.examples import DATASET_VERSION

NEW_SWEEP = OpenApiExample(
    "Four trainings",
    request_only=True,
    value={
        "adapter": "legal-summaries",
        "dataset_version": DATASET_VERSION,
        "recipe": "style",
        "grid": {"rank": [8, 16], "learning_rate": [0.002, 0.005]},
    },
)


A_SWEEP = OpenApiExample(
    "A sweep that has just started",
    response_only=True,
    value={
        "id": "3f1c2d1e-1111-4c39-9f5a-2f4a1d1f7c11",
        "adapter": "9e1c2d1e-2222-4c39-9f5a-2f4a1d1f7c11",
        "adapter_name": "legal-summaries",
        "grid": {"rank": [8, 16], "learning_rate": [0.002, 0.005]},
        "created_at": "2026-11-22T17:00:00Z",
        "runs": [],
    },
)

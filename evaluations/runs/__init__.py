"""Evaluation runs: base model and adapter answer held-out rows, which are scored and summarised."""

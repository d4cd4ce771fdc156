"""Answers of several models on one base to the same prompts: `python -m lorakit.generate --run-dir DIR`."""

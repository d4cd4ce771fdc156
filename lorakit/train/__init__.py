"""QLoRA training in a run directory: `python -m lorakit.train --run-dir DIR`."""

"""Training, generation and serving of LoRA adapters, without Django."""

import logging
import os

# Nothing of ours is compiled, and to load PyTorch's compiler, as libraries do on import, takes two seconds of a run.
os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")
# On import it warns that an optional kernel is not installed. Customers read the log and would take that for a fault.
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)

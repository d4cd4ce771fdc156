"""Training, generation and serving of LoRA adapters, without Django."""

import logging

# On import it warns that an optional kernel is not installed. Customers read the log and would take that for a fault.
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)

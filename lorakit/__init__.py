"""Training, generation and serving of LoRA adapters, without Django."""

import logging

# As soon as anything imports it, it warns of an optional kernel that is not installed: a customer who reads the log
# would take that for a fault.
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)

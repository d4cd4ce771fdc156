"""Training, generation and serving of LoRA adapters, without Django."""

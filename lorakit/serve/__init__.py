"""An OpenAI-compatible server of one base model with many LoRA adapters."""

"""The base models that adapters are trained on: metadata, shape and context length."""

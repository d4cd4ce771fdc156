"""Engines with vLLM's adapter endpoints: vLLM itself, or `python -m lorakit.serve`."""

from serving.backends.vllm.backend import VllmEndpoint

__all__ = ["VllmEndpoint"]

"""Engines with vLLM's adapter endpoints: vLLM itself, or `python -m lorakit.serve`."""

from serving.backends.vllm.backend import VllmEndpoint
from serving.backends.vllm.site_engine import SiteEngine

__all__ = ["SiteEngine", "VllmEndpoint"]

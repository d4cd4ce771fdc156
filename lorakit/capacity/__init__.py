"""What fits on an endpoint of one base and many adapters: memory by part, residency of adapters, and waiting.

Pure arithmetic: it loads no model and asks no server. docs/capacity.md has the formulas, their sources and limits.
"""

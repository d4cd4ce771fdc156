"""Adapters of the engine: which there are, and which are in slots."""

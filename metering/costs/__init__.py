"""Costs: measured time or tokens, each at a price with its source."""

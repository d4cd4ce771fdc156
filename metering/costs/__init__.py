"""Costs: measured time multiplied by a price with its source."""

"""Sweeps: one training for each combination of values."""

"""Trials: a version that answers a share of an alias's callers beside the live one, and what they show."""

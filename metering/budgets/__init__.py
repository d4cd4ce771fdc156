"""Budgets: one counter for each month, thresholds, and when the money will be used up."""

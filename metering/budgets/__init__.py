"""Budgets: an amount for each calendar month, the one counter of what was spent, its forecast, and whom it is told."""

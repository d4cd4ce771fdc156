"""Recipes, and the hyperparameters they recommend: limits, overrides and differences."""

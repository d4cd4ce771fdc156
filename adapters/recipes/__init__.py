"""Recipes, which advise numbers, and the numbers themselves: what each may be, and what a person chose instead."""

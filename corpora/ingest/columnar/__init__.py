"""Reads many rows at once, by the column, where that is certain to be right."""

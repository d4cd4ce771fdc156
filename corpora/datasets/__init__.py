"""Datasets: list, change, delete."""

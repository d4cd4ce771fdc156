"""Puts batches together to a version: duplicates, split, index, profile, findings."""

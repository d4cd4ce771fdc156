"""Assembles batches into a version: duplicates, split, index, profile, findings."""

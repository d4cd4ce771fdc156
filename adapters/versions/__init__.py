"""Adapters and their versions: pages, packages, cards, and proof of how a version came to be."""

"""Judgings of an evaluation: who grades its answers, what it takes, and what comes of it."""

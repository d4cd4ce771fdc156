"""Judges: grade an answer from 1 to 5 and give the reason."""

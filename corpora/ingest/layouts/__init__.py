"""The columns that a row may have, and how each layout becomes messages."""

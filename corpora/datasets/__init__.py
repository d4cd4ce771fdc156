"""Named lines of versions: list, change, delete."""

"""Usage: figures for any range of hours, and their charts."""

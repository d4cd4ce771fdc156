"""How much and how fast: figures of any range of hours, and their charts."""

"""Whether an evaluated version needed its training: its alternatives, and what they come to in words."""

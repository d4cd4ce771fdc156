"""What fits on an endpoint, who is in its memory, and how long requests wait: now, and with one adapter more."""

"""Agreement: of experts with each other, and of judges with experts."""

"""What would need no training: examples in the prompt, a look-up of the nearest training row, a classifier."""

"""Evaluations: base and adapter on held-out rows, scored, summed up and shown."""

"""Estimates of a training: time, cost and memory."""

"""Alerts: what needs a person, whom it is told, and what they do about it."""

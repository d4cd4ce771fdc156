"""Experts' grades: which answers wait, one at a time, and what was given."""

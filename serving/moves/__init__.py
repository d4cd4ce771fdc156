"""Moves of a tenant from one endpoint to another."""

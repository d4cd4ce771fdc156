"""Immutable versions: their check, rows, findings, differences and exports."""

"""Qualification: a judge grades answers whose grade is known, many of them made to mislead it."""

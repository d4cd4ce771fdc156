"""Rubrics: what is graded, in criteria with scales and words for each grade."""

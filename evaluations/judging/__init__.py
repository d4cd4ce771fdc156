"""Judging an evaluation: what is asked, the verdicts, and the grades that follow from them."""

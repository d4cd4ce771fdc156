"""Costs as a file in the FinOps Open Cost and Usage Specification, FOCUS 1.3. docs/focus.md says what is in it."""

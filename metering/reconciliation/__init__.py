"""What a cloud bills beside what the site counted. docs/reconciliation.md says how they are compared."""

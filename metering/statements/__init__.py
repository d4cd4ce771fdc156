"""Monthly statements: what an organisation used in a calendar month (UTC) and what that cost. docs/statements.md."""

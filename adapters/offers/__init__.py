"""What organisations can train on: base models, and what each needs and can do."""

"""What only one kind of storage can do."""

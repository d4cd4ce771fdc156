"""What the lines of a statement come from: jobs, judges, serving, storage."""

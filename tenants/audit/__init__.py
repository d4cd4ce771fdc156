"""What was done in a tenant, by whom: rows that can be added and not changed."""

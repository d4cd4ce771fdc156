"""Members of a tenant: invited, with a role, and removed; and their passwords."""

"""Tenants and their members: invited, with a role, and removed; and their passwords."""

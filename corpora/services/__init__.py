"""Every write to datasets: uploads become versions, and versions are checked once."""

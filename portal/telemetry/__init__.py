"""What the site tells Prometheus: counts of its database, and the times of its web requests."""

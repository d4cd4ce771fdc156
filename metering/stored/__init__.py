"""How much organisations have in storage: measured every hour, at a price."""

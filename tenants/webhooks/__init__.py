"""Webhooks: events stored with the change they tell of, then sent, signed, until they are received."""

"""The OpenAI-compatible entrance: key, alias, forward, record. A process of its own beside Django's."""

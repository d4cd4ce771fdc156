"""API keys: made, looked up by their token, revoked."""

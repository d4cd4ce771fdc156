"""Requests of OpenAI's API: what they may ask, checked and tokenised."""

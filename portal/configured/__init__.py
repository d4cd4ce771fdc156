"""Long settings, each in a module of its own: `portal/settings.py` reads the environment and asks these."""

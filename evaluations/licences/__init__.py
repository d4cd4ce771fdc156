"""Licences of judges: whether a judge's grades may stand beside experts', for how long, and why."""

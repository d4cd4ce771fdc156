"""A job’s events so far, summarised and drawn."""

"""The operator's view: what endpoints cost and who bears it, what organisations were charged, and what has changed."""

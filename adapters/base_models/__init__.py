"""The base models that adapters are trained on: what is known of each, its shape, how much it reads at once."""

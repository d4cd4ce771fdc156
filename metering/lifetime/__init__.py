"""What each version of an adapter has cost over its life, what sharing an endpoint saves, and what to do next."""

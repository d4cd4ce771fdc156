"""The queue of a round: whose turn an answer is, and what experts say of it."""

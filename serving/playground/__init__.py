"""The playground: one question to an adapter and to its base model."""

"""The steps of the engine: who takes part, and what the model reads and says."""

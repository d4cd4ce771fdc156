"""Evidence packs: everything that a decision rests on, in one signed archive."""

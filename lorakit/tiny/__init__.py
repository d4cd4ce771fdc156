"""The tiny base model: its generated training text, its tokenizer, and the build of the shipped weights."""

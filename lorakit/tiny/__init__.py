"""The tiny base model: generated text, its tokenizer, and the build that makes the shipped weights."""

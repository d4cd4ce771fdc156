"""Vectors of texts by an encoder model, served as OpenAI's embeddings: `python -m lorakit.encode --model DIR`."""

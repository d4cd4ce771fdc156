"""The maximum ranks that vLLM knows. A slot has room for the maximum, whatever is in it."""

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""`MaxLoRARanks` in vLLM's `config/lora.py`; any other rank needs the next one."""


def rounded_rank(rank: int) -> int:
    """The maximum rank that an engine has to be started with for an adapter of this rank. Raises ValueError."""
    if not 1 <= rank <= RANKS[-1]:
        raise ValueError(f"A rank must be from 1 to {RANKS[-1]}")
    return next(one for one in RANKS if one >= rank)

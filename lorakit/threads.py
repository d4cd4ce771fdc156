"""The threads in which torch computes."""

import torch


def use_threads(count: int) -> int:
    """Compute in so many threads; with 0 in those the machine gives. Returns how many they are."""
    if count:
        torch.set_num_threads(count)
    return torch.get_num_threads()

"""Linear layers of a frozen base on a CPU, whose products take the processor's fastest way.

What they read and return keeps its dtype: between products, a model computes in fp32.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.functional import linear
from transformers import PreTrainedModel

ROWS = 16
"""How many rows the layout of packed weights is meant for; others are right and a little slower."""


class NarrowLinear(nn.Linear):
    """A layer that multiplies in bf16, and through which gradients flow; its own weights can't be trained."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__(layer.in_features, layer.out_features, bias=False, device="meta")
        del self.weight
        # As a buffer, because PEFT widens all parameters that are not in 4 bits.
        self.register_buffer("weight", layer.weight.detach().to(torch.bfloat16), persistent=False)
        self.bias = layer.bias
        self.has_bias = has_bias(layer)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        output = linear(rows.to(torch.bfloat16), self.weight).to(rows.dtype)
        return output + self.bias if self.has_bias else output


class PackedLinear(nn.Linear):
    """A layer for inference that multiplies in `dtype`, with its weights laid out as oneDNN reads them.

    Those of a plain layer are laid out anew in every product, which costs as much as the product itself where only a
    few rows take part. `torch.compile` packs weights in the same way.
    """

    def __init__(self, layer: nn.Linear, dtype: torch.dtype) -> None:
        super().__init__(layer.in_features, layer.out_features, bias=False, device="meta")
        packed = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach().to(dtype), ROWS)
        self.weight = nn.Parameter(packed, requires_grad=False)
        if has_bias(layer):
            self.bias = nn.Parameter(layer.bias.detach().to(dtype), requires_grad=False)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        options: tuple[Any, ...] = (self.weight, self.bias, "none", [], "")
        output: torch.Tensor = torch.ops.mkldnn._linear_pointwise(rows.to(self.weight.dtype), *options)
        return output.to(rows.dtype)


def has_bias(layer: nn.Linear) -> bool:
    """Whether a layer adds something to its product; torch's own types leave out that it may not."""
    return isinstance(layer.bias, torch.Tensor)


def narrow(model: PreTrainedModel) -> None:
    """Let all plain linear layers multiply in bf16; those in 4 bits have a format of their own."""
    _replace(model, NarrowLinear)


@torch.inference_mode()
def pack(model: PreTrainedModel, dtype: torch.dtype) -> None:
    """Pack the weights of all linear layers. The model can't be trained or saved any more."""
    _replace(model, lambda layer: PackedLinear(layer, dtype))


def _replace(model: PreTrainedModel, make: Callable[[nn.Linear], nn.Linear]) -> None:
    for name, module in list(model.named_modules()):
        if type(module) is nn.Linear:
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, make(module))

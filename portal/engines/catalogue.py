"""What can be started, and how much memory it takes."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import close_old_connections

from adapters.base_models.shapes import read_shape
from adapters.models import BaseModel
from lorakit.capacity.plan import plan_of
from lorakit.capacity.setup import Setup

ENCODER = "the encoder"
"""The name of the site's encoder, which no base model can have."""

ENCODER_BYTES = 900_000_000
"""Of a small encoder with PyTorch (all-MiniLM-L6-v2 takes 0.7 GB)."""

PROCESS_BYTES = 600_000_000
"""Of an engine whose base's shape is not known, beside its weights."""


@dataclass(frozen=True, kw_only=True)
class Startable:
    """An engine that can be started; `bytes` is the memory it takes before its first request.

    `memory` is the file with the adapters that it holds, running or not.
    """

    name: str
    argv: Sequence[str]
    bytes: int
    memory: Path


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """The base models whose files lie in a folder of this machine, and an encoder. `folder` keeps what engines hold."""

    folder: Path
    slots: int
    max_rank: int
    threads: int
    encoder: Path | None = None

    def find(self, name: str) -> Startable | None:
        """The engine of the base model of that name, or the ENCODER; None if there is none here. Asks the database."""
        if name == ENCODER:
            return self._encoder()
        close_old_connections()
        base_model = BaseModel.objects.filter(name=name).first()
        if base_model is None or not Path(base_model.location).is_dir():
            return None
        return self.startable(base_model)

    def startable(self, base_model: BaseModel) -> Startable:
        """The engine of that base model."""
        name = base_model.name
        return Startable(
            name=name,
            argv=(
                sys.executable, "-m", "lorakit.serve", "--base", base_model.location, "--base-id", name,
                "--host", "127.0.0.1", "--slots", str(self.slots), "--max-rank", str(self.max_rank),
                "--threads", str(self.threads), "--memory", str(self.memory(name)),
            ),
            bytes=self._bytes(base_model),
            memory=self.memory(name),
        )  # fmt: skip

    def _encoder(self) -> Startable | None:
        if self.encoder is None:
            return None
        return Startable(
            name=ENCODER,
            argv=(
                sys.executable, "-m", "lorakit.encode", "--model", str(self.encoder),
                "--host", "127.0.0.1", "--threads", str(self.threads),
            ),
            bytes=ENCODER_BYTES,
            memory=self.memory("encoder"),
        )  # fmt: skip

    def memory(self, name: str) -> Path:
        """The file with the adapters of that base model's engine. Names are slugs."""
        return self.folder / f"{name}.json"

    def _bytes(self, base_model: BaseModel) -> int:
        shape = read_shape(base_model)
        if shape is None:
            weights = sum(path.stat().st_size for path in Path(base_model.location).glob("*.safetensors"))
            # Files are in 16 bits as a rule, the engine's weights on a CPU in 32.
            return 2 * weights + PROCESS_BYTES
        setup = Setup(
            engine="lorakit",
            precision="fp32",
            device_bytes=None,
            slots=self.slots,
            host_adapters=self.slots,
            max_rank=self.max_rank,
            context=base_model.context_length,
            width=1,
            has_gpu=False,
        )
        return plan_of(shape, setup).fixed


def site_catalogue(threads: int) -> Catalogue:
    """That of this site."""
    folder = settings.PORTAL_VAR / "run" / "engines"
    folder.mkdir(parents=True, exist_ok=True)
    return Catalogue(
        folder=folder,
        slots=settings.ENGINE_SLOTS,
        max_rank=settings.MAX_LORA_RANK,
        threads=threads,
        encoder=site_encoder(settings.PORTAL_VAR),
    )


def site_encoder(var: Path) -> Path | None:
    """The first encoder in the site's folder, where `make encoder-minilm` writes."""
    found = [path.parent for path in sorted((var / "encoders").glob("*/config.json"))]
    return next((folder for folder in found if folder.suffix != ".unfinished"), None)

"""The adapter package: a flat adapter.tar.gz of adapter_config.json and adapter_model.safetensors, nothing
else.

Packing is deterministic: the same adapter gives the same bytes, so the SHA-256 of the file identifies its
content. Reading trusts nothing. The tar headers are checked one by one: only plain regular members are allowed, no
links, extension headers or sparse files. Every size is limited before anything is read. The configuration may contain
only known keys, and only the safetensors header of the weights is interpreted. Every rejection is a `PackageError`.
"""

import gzip
import io
import json
import math
import os
import re
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from lorakit.digest import file_sha256
from lorakit.errors import PackageError

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
PACKAGE = "adapter.tar.gz"
MAX_CONFIG_BYTES = 64 * 1024
MAX_HEADER_BYTES = 8 * 1024 * 1024
MAX_WEIGHTS_BYTES = 4 * 1024**3
MAX_RANK = 256
BLOCK = 512
CHUNK = 1024 * 1024

CONFIG_KEYS = {
    "base_model_name_or_path",
    "bias",
    "fan_in_fan_out",
    "inference_mode",
    "lora_alpha",
    "lora_dropout",
    "peft_type",
    "r",
    "target_modules",
    "task_type",
    "use_rslora",
}
"""The keys that a package's configuration has; no others are allowed."""

DROPPED_KEYS = {
    "auto_mapping",
    "corda_config",
    "eva_config",
    "init_lora_weights",
    "loftq_config",
    "lora_ga_config",
    "megatron_core",
    "peft_version",
    "qalora_group_size",
    "revision",
}
"""Keys of PEFT's file that packing leaves out: they describe how the first weights were made, or the library."""

SPECIAL_LAYERS = "its layers compute more than B(A(x)), which the shared engine does not support"
SOME_LAYERS = "list the adapted layers in target_modules instead"
REFUSED_KEYS = {
    "alora_invocation_tokens": "the adapter acts only behind certain tokens",
    "alpha_pattern": "every layer must have the same alpha",
    "arrow_config": "the adapter chooses between other adapters",
    "ensure_weight_tying": "tied layers are not supported",
    "exclude_modules": SOME_LAYERS,
    "kasa_config": "the adapter changes the base model's weights",
    "layer_replication": "the adapter changes the base model's layers",
    "layers_pattern": SOME_LAYERS,
    "layers_to_transform": SOME_LAYERS,
    "lora_bias": SPECIAL_LAYERS,
    "megatron_config": SPECIAL_LAYERS,
    "modules_to_save": "the adapter replaces whole layers of the base model",
    "monteclora_config": "the adapter draws its weights at random",
    "rank_pattern": "every layer must have the same rank",
    "target_parameters": SPECIAL_LAYERS,
    "trainable_token_indices": "the adapter changes the base model's tokens",
    "use_bdlora": SPECIAL_LAYERS,
    "use_dora": SPECIAL_LAYERS,
    "use_qalora": SPECIAL_LAYERS,
    "velora_config": "its file has more than the two matrices of each layer",
}
"""Keys that change what an adapter computes, and why an adapter that sets one is refused."""

PLAIN_STARTS = {"gaussian", "orthogonal", "eva", "mica"}
"""Names in init_lora_weights that leave the base's weights as they are. The others take a part out of them."""

DTYPE_BYTES = {"F32": 4, "F16": 2, "BF16": 2}
TENSOR_NAME = re.compile(r"base_model\.model\.(?P<module>[A-Za-z0-9_.]{1,200})\.lora_(?P<side>[AB])\.weight")


@dataclass(frozen=True)
class PackageInfo:
    """The content of a checked package. `size` is in bytes; `modules` are the layers it adapts."""

    sha256: str
    size: int
    base_id: str
    rank: int
    alpha: float
    target_modules: tuple[str, ...]
    modules: tuple[str, ...]
    parameters: int


@dataclass(frozen=True)
class AdapterConfig:
    """The checked configuration of a LoRA adapter."""

    base_id: str
    rank: int
    alpha: float
    target_modules: tuple[str, ...]
    rank_stabilised: bool

    @property
    def scale(self) -> float:
        """The factor applied to B(A(x))."""
        return self.alpha / (self.rank**0.5 if self.rank_stabilised else self.rank)


def refuse(code: str, text: str) -> PackageError:
    return PackageError(f"package:{code}", text)


def parse_json(data: bytes, what: str) -> dict[str, Any]:
    """Decode a JSON object without repeated keys. Raises `PackageError`."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key occurs twice")
        return found

    try:
        value = json.loads(data, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise refuse("bad_json", f"{what} is not valid JSON: {error}.") from None
    if not isinstance(value, dict):
        raise refuse("bad_json", f"{what} is not a JSON object.")
    return value


def check_config(config: dict[str, Any]) -> AdapterConfig:
    """Check a package's configuration, which may have only the keys of `CONFIG_KEYS`. Raises `PackageError`."""
    check_effects(config)
    for key in sorted(config.keys() - CONFIG_KEYS):
        raise refuse("unknown_key", f"{CONFIG} has the key {key!r}, which is not allowed.")
    fixed = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "bias": "none", "fan_in_fan_out": False}
    for key, wanted in fixed.items():
        if config.get(key, wanted) != wanted:
            raise refuse("unsupported", f"{CONFIG}: {key} must be {wanted!r}.")
    rank, alpha, targets = config.get("r"), config.get("lora_alpha"), config.get("target_modules")
    if not isinstance(rank, int) or isinstance(rank, bool) or not 1 <= rank <= MAX_RANK:
        raise refuse("bad_rank", f"{CONFIG}: r must be a whole number from 1 to {MAX_RANK}.")
    if not isinstance(alpha, int | float) or isinstance(alpha, bool) or not 0 < alpha <= 65_536:
        raise refuse("bad_alpha", f"{CONFIG}: lora_alpha must be a number above 0.")
    if not isinstance(targets, list) or not targets or not all(isinstance(name, str) for name in targets):
        raise refuse("bad_targets", f"{CONFIG}: target_modules must be a list of layer names.")
    base_id, stabilised = config.get("base_model_name_or_path"), config.get("use_rslora", False)
    if not isinstance(base_id, str) or not base_id:
        raise refuse("no_base", f"{CONFIG}: base_model_name_or_path must name the base model.")
    if not isinstance(stabilised, bool):
        raise refuse("unsupported", f"{CONFIG}: use_rslora must be true or false.")
    return AdapterConfig(base_id, rank, float(alpha), tuple(targets), stabilised)


def check_effects(config: dict[str, Any]) -> None:
    """Refuse a configuration with which PEFT would compute something else than B(A(x)) on the unchanged base."""
    start = config.get("init_lora_weights")
    if not (start is None or isinstance(start, bool) or str(start).lower() in PLAIN_STARTS):
        next_step = (
            "Train the adapter again without LoftQ."
            if start == "loftq"
            else "Convert it with PEFT first: save_pretrained(path, path_initial_model_for_weight_conversion=...)."
        )
        text = (
            f"{CONFIG}: init_lora_weights is {start!r}. Such an adapter belongs to a base model that was changed when "
            f"its training began, and answers wrongly with the original one. {next_step}"
        )
        raise refuse("changed_base", text)
    for key in sorted(REFUSED_KEYS.keys() & config.keys()):
        if is_set(config[key]):
            raise refuse("unsupported", f"{CONFIG}: {key} is set, and {REFUSED_KEYS[key]}.")


def is_set(value: Any) -> bool:
    """Whether PEFT would do anything about it. 0 is a value: a layer, for example."""
    return not (value is None or value is False or value in ({}, []))


def canonical_config(config: dict[str, Any], base_id: str | None) -> dict[str, Any]:
    """PEFT's configuration reduced to the keys of a package. Raises `PackageError` for one that has other effects."""
    check_effects(config)
    kept = {key: value for key, value in config.items() if key in CONFIG_KEYS}
    for key in sorted(config.keys() - CONFIG_KEYS - DROPPED_KEYS - REFUSED_KEYS.keys()):
        if is_set(config[key]):
            raise refuse("unsupported", f"{CONFIG}: {key} is set, which is not known here.")
    if isinstance(kept.get("target_modules"), list):
        kept["target_modules"] = sorted(kept["target_modules"])
    kept["inference_mode"] = True
    if base_id is not None:
        kept["base_model_name_or_path"] = base_id
    return kept


def check_tensors(header: dict[str, Any], rank: int, body: int) -> tuple[tuple[str, ...], int]:
    """Check a safetensors header against the rank and the size of the body. Returns (modules, parameters)."""
    spans: list[tuple[int, int]] = []
    sides: dict[str, set[str]] = {}
    parameters = 0
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        match = TENSOR_NAME.fullmatch(name)
        if match is None:
            raise refuse("bad_tensor", f"{WEIGHTS} contains {name[:100]!r}, which is not a LoRA weight.")
        try:
            width, (rows, columns), (start, end) = (
                DTYPE_BYTES[entry["dtype"]],
                entry["shape"],
                entry["data_offsets"],
            )
            whole = all(type(number) is int and number >= 0 for number in (rows, columns, start, end))
        except (KeyError, TypeError, ValueError):
            whole = False
        if not whole or end - start != rows * columns * width:
            raise refuse("bad_tensor", f"{WEIGHTS}: the entry of {name} is not valid.")
        if (rows if match["side"] == "A" else columns) != rank:
            raise refuse("bad_rank", f"{WEIGHTS}: {name} does not have the rank {rank} of {CONFIG}.")
        spans.append((start, end))
        sides.setdefault(match["module"], set()).add(match["side"])
        parameters += rows * columns
    position = 0
    for start, end in sorted(spans):
        if start != position:
            raise refuse("bad_tensor", f"{WEIGHTS} has gaps or overlaps between its tensors.")
        position = end
    if not spans or position != body:
        raise refuse("bad_tensor", f"The size of {WEIGHTS} does not match its header.")
    for module, found in sides.items():
        if found != {"A", "B"}:
            raise refuse("bad_tensor", f"{WEIGHTS}: {module} lacks one of its two matrices.")
    return tuple(sorted(sides)), parameters


def read_tensor_header(file: IO[bytes], size: int) -> tuple[dict[str, Any], int]:
    """The header of a safetensors file of `size` bytes, and the number of bytes after it."""
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
        raise refuse("bad_tensor", f"{WEIGHTS} does not begin with a valid header.")
    return parse_json(file.read(length), f"The header of {WEIGHTS}"), size - 8 - length


def check_directory(directory: Path) -> tuple[AdapterConfig, tuple[str, ...], int]:
    """Check an unpacked package. Returns (configuration, modules, parameters)."""
    config = check_config(parse_json((directory / CONFIG).read_bytes(), CONFIG))
    with (directory / WEIGHTS).open("rb") as file:
        header, body = read_tensor_header(file, os.fstat(file.fileno()).st_size)
    modules, parameters = check_tensors(header, config.rank, body)
    return config, modules, parameters


def read_exactly(stream: IO[bytes] | gzip.GzipFile, count: int) -> bytes:
    """Read `count` bytes. Raises `PackageError` if the stream ends earlier."""
    data = stream.read(count)
    if len(data) != count:
        raise refuse("truncated", "The package ends too early.")
    return data


def read_members(stream: IO[bytes] | gzip.GzipFile) -> Iterator[tuple[str, int]]:
    """Iterate over a tar of plain regular members, yielding (name, size); the caller reads the body of each.

    `tarfile` only parses complete headers; its handling of links and extension headers is never reached.
    """
    seen: set[str] = set()
    while (block := read_exactly(stream, BLOCK)) != bytes(BLOCK):
        try:
            member = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        except (tarfile.HeaderError, UnicodeDecodeError):
            raise refuse("bad_archive", "The package is not a valid tar archive.") from None
        name = member.name
        if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            raise refuse("bad_member", f"The package contains {name[:100]!r}, which is not a plain file.")
        if name not in (CONFIG, WEIGHTS) or name in seen:
            raise refuse("bad_member", f"The package may hold {CONFIG} and {WEIGHTS} once each, not {name[:100]!r}.")
        if member.size > (MAX_CONFIG_BYTES if name == CONFIG else MAX_WEIGHTS_BYTES):
            raise refuse("too_large", f"{name} is too large.")
        seen.add(name)
        yield name, member.size
        read_exactly(stream, -member.size % BLOCK)
    rest = stream.read(tarfile.RECORDSIZE + 1)
    if len(rest) > tarfile.RECORDSIZE or rest.strip(b"\0"):
        raise refuse("bad_archive", "The package has data after its end.")
    for name in (CONFIG, WEIGHTS):
        if name not in seen:
            raise refuse("missing_member", f"The package does not contain {name}.")


def unpack(path: Path, destination: Path) -> PackageInfo:
    """Check a package and write its two files to `destination`, which is created completely or not at all."""
    sha256 = file_sha256(path)
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".unpack-") as name:
        staging = Path(name) / "adapter"
        staging.mkdir()
        try:
            with gzip.open(path, "rb") as stream:
                for member, size in read_members(stream):
                    with (staging / member).open("wb") as target:
                        for start in range(0, size, CHUNK):
                            target.write(read_exactly(stream, min(CHUNK, size - start)))
        except EOFError:
            raise refuse("truncated", "The package ends too early.") from None
        except (gzip.BadGzipFile, zlib.error):
            raise refuse("not_gzip", "The package is not a gzip file.") from None
        config, modules, parameters = check_directory(staging)
        if file_sha256(path) != sha256:
            raise refuse("changed", "The package changed while it was being read.")
        if not destination.exists():
            staging.rename(destination)
    return PackageInfo(
        sha256=sha256,
        size=path.stat().st_size,
        base_id=config.base_id,
        rank=config.rank,
        alpha=config.alpha,
        target_modules=config.target_modules,
        modules=modules,
        parameters=parameters,
    )


def inspect(path: Path) -> PackageInfo:
    """Check a package without unpacking it."""
    with tempfile.TemporaryDirectory() as name:
        return unpack(path, Path(name) / "adapter")


def pack(directory: Path, out: Path, base_id: str | None = None) -> str:
    """Pack an adapter directory and return the SHA-256 of the package.

    `base_id` replaces the base model's name, which PEFT writes as a local path. Owner, time and mode are
    fixed and the configuration is sorted, so that the hash depends only on the content.
    """
    try:
        raw = parse_json((directory / CONFIG).read_bytes(), CONFIG)
        weights = (directory / WEIGHTS).stat().st_size
    except FileNotFoundError as error:
        raise refuse("missing_member", f"There is no {Path(error.filename).name} to pack.") from None
    config = canonical_config(raw, base_id)
    rank = check_config(config).rank
    with (directory / WEIGHTS).open("rb") as file:
        header, body = read_tensor_header(file, weights)
        check_tensors(header, rank, body)
    text = json.dumps(config, indent=2, sort_keys=True).encode() + b"\n"
    part = out.with_name(out.name + ".part")
    with (
        part.open("wb") as raw_file,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw_file, mtime=0, compresslevel=1) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as archive,
        (directory / WEIGHTS).open("rb") as weights_file,
    ):
        members: list[tuple[str, int, IO[bytes]]] = [
            (CONFIG, len(text), io.BytesIO(text)),
            (WEIGHTS, weights, weights_file),
        ]
        for name, size, source in members:
            member = tarfile.TarInfo(name)
            member.size = size
            member.mode = 0o644
            archive.addfile(member, source)
    part.replace(out)
    return file_sha256(out)


def largest_difference(one: Path, other: Path) -> float:
    """The largest difference between corresponding weights of two unpacked adapters in fp32 or fp16.

    Infinite if they do not adapt the same layers with the same rank.
    """
    from safetensors.numpy import load_file

    ours, theirs = load_file(one / WEIGHTS), load_file(other / WEIGHTS)
    if {name: tensor.shape for name, tensor in ours.items()} != {name: t.shape for name, t in theirs.items()}:
        return math.inf
    return max(float(abs(tensor - theirs[name]).max()) for name, tensor in ours.items())

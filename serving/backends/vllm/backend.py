"""An endpoint of one or several engines that hold the same adapters.

They read adapters from a folder that they share with the portal: ADAPTER_DIR holds each package unpacked, under the
hash of its content. A server that is away is left out; the reconciler gives it what it lacks once it is back.
"""

import re
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import httpx

from lorakit.capacity.machines import GIB
from lorakit.capacity.setup import Setup
from lorakit.digest import file_sha256
from lorakit.errors import PackageError
from lorakit.package import unpack
from serving.backends.base import PRICE, Description, EndpointBackend, Health, Option, Package, Status
from serving.backends.errors import EndpointError
from serving.backends.residency import Residency, joined
from serving.backends.target import Target
from serving.backends.vllm.replicas import Replicas, ReplicatedTarget
from serving.backends.vllm.server import UNREACHABLE, Server
from storage.objects import CHUNK_BYTES, open_object

TIDY_AFTER_SECONDS = 3600
T = TypeVar("T")

STARTED_WITH = (
    Option(name="ENGINE", title="Engine", help="“lorakit” is that of this site.", choices=("lorakit", "vllm")),
    Option(name="GPU_ADAPTERS", title="Adapter slots", help="How many can be in one batch."),
    Option(name="CPU_ADAPTERS", title="Adapters in memory", help="Including those; 0 for no more.", unset=0),
    Option(name="CONTEXT_TOKENS", title="Context", help="In tokens; 0 for all that the base takes.", unset=0),
    Option(name="WIDTH", title="Requests in a batch", help="At most."),
    Option(name="GPUS", title="GPUs", help="That share the base; 0 for none.", unset=0),
    Option(name="MEMORY_GIB", title="Memory", help="GiB of a GPU, or of a machine without one; 0: unknown.", unset=0),
)
"""What an engine was started with, which it doesn’t say."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


class VllmEndpoint(EndpointBackend):
    """Options: URL (of the engine, without /v1) or URLS (of several that share the folder), API_KEY, ADAPTER_DIR,
    TIMEOUT_SECONDS (of one call). How the engine was started, for the capacity page: ENGINE ("lorakit" or "vllm"),
    GPU_ADAPTERS and CPU_ADAPTERS (0: as many), CONTEXT_TOKENS (0: the base's), WIDTH (sequences in a batch), MEMORY_GIB
    (of a GPU, or of the machine where there is none; 0: not known), GPUS (0: none)."""

    title = "vLLM, or the engine of this site"
    own: ClassVar[tuple[Option, ...]] = (
        Option(name="URL", title="Address", help="Of the engine, without /v1, such as http://10.0.0.7:8000."),
        Option(name="URLS", title="Addresses", help="Of several engines with the same adapters, instead of one."),
        Option(name="MAX_RANK", title="Highest rank", help="What the engine was started with."),
        *STARTED_WITH,
        *PRICE,
    )
    options: ClassVar[dict[str, Any]] = {
        **EndpointBackend.options,
        "URL": "",
        "URLS": (),
        "API_KEY": "",
        "ADAPTER_DIR": "",
        "TIMEOUT_SECONDS": 10.0,
        "ENGINE": "lorakit",
        "GPU_ADAPTERS": 16,
        "CPU_ADAPTERS": 0,
        "CONTEXT_TOKENS": 0,
        "WIDTH": 32,
        "MEMORY_GIB": 0.0,
        "GPUS": 0,
    }

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        super().__init__(alias, options)
        merged = {**self.options, **options}
        urls = tuple(str(url).rstrip("/") for url in merged["URLS"] or (merged["URL"],) if url)
        if not urls or not merged["ADAPTER_DIR"]:
            raise ValueError(f"ENDPOINTS[{alias!r}] needs the options URL and ADAPTER_DIR")
        headers = {"Authorization": f"Bearer {merged['API_KEY']}"} if merged["API_KEY"] else {}
        timeout = httpx.Timeout(float(merged["TIMEOUT_SECONDS"]), connect=2.0)
        self.servers = tuple(Server(url=url, headers=headers, timeout=timeout) for url in urls)
        self.folder = Path(merged["ADAPTER_DIR"])
        self._replicas = Replicas(self.servers)
        self._started_with = {option.name: merged[option.name] for option in STARTED_WITH}
        if merged["ENGINE"] not in ("lorakit", "vllm"):
            raise ValueError(f"ENDPOINTS[{alias!r}]: ENGINE must be lorakit or vllm")

    @property
    def context_tokens(self) -> int | None:
        return int(self._started_with["CONTEXT_TOKENS"]) or None

    @property
    def copies(self) -> int:
        return len(self.servers)

    def setup(self, context: int) -> Setup:
        options, gpus = self._started_with, int(self._started_with["GPUS"])
        slots = int(options["GPU_ADAPTERS"])
        return Setup(
            engine=options["ENGINE"],
            precision="bf16" if gpus else "fp32",
            device_bytes=int(options["MEMORY_GIB"] * GIB) or None,
            slots=slots,
            host_adapters=int(options["CPU_ADAPTERS"]) or slots,
            max_rank=self.max_rank,
            context=self.context_tokens or context,
            width=int(options["WIDTH"]),
            gpus=max(gpus, 1),
            has_gpu=bool(gpus),
        )

    @classmethod
    def apart(cls, name: str, base_model: str, options: Mapping[str, Any]) -> dict[str, Any]:
        # Within the folder that the alias's engine reads, which may be all that the machines share.
        return {"ADAPTER_DIR": str(Path(options["ADAPTER_DIR"]) / name)}

    def deploy(self, name: str, package: Package) -> None:
        folder = self._unpacked(package)
        self._each(lambda server: server.load(name, folder))

    def describe(self, name: str) -> Description:
        # One that some servers lack may be deployed, which loads it where it is missing.
        return Description(status=Status.IN_SERVICE if name in self._everywhere() else Status.MISSING)

    def delete(self, name: str) -> None:
        self._each(lambda server: server.unload(name))

    def list(self) -> Mapping[str, Status]:
        listed = [listing.adapters for listing in self._each(Server.listing)]
        everywhere = frozenset.intersection(*listed)
        # A server that has restarted lacks what the others hold.
        anywhere = frozenset.union(*listed)
        return {name: Status.IN_SERVICE if name in everywhere else Status.FAILED for name in anywhere}

    def target(self, model: str) -> Target:
        if len(self.servers) == 1:
            return self.servers[0].target(model)
        return ReplicatedTarget(self._replicas, model)

    def targets(self, model: str) -> Sequence[Target]:
        def there(server: Server) -> Target:
            server.listing()
            return server.target(model)

        return self._each(there)

    def health(self) -> Health:
        try:
            listings = self._each(Server.listing)
        except EndpointError as error:
            return Health(ok=False, text=error.text)
        away = len(self.servers) - len(listings)
        text = f"{away} of {len(self.servers)} servers {'do' if away > 1 else 'does'} not respond." if away else ""
        adapters = frozenset.intersection(*(listing.adapters for listing in listings))
        return Health(ok=True, text=text, base=listings[0].base, adapters=len(adapters))

    def residency(self) -> Residency | None:
        return joined(self._each(Server.residency))

    def pin(self, name: str, package: Package, *, is_pinned: bool) -> None:
        folder = self._unpacked(package)
        self._each(lambda server: server.pin(name, folder, is_pinned=is_pinned))

    def tidy(self, keep: Set[str]) -> None:
        if not self.folder.exists():
            return
        for path in self.folder.iterdir():
            # A young one may belong to a promotion that has not written its row where we have read it. Folders with
            # other names are those of other endpoints.
            is_unused = _SHA256.fullmatch(path.name) and path.name not in keep
            if is_unused and time.time() - path.stat().st_mtime > TIDY_AFTER_SECONDS:
                shutil.rmtree(path, ignore_errors=True)

    def _unpacked(self, package: Package) -> Path:
        folder = self.folder / package.sha256
        if folder.exists():
            folder.touch()
            return folder
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix=f"{package.sha256}-", suffix=".tar.gz") as copy:
            try:
                with open_object(package.key) as source:
                    shutil.copyfileobj(source, copy, CHUNK_BYTES)
            except FileNotFoundError:
                raise EndpointError(
                    "deployment:package_missing", "The version’s package is missing from storage.", temporary=False
                ) from None
            copy.flush()
            if file_sha256(Path(copy.name)) != package.sha256:
                raise EndpointError(
                    "deployment:package_changed",
                    "The package in storage differs from the one that was trained. Train the version again.",
                    temporary=False,
                )
            try:
                unpack(Path(copy.name), folder)
            except PackageError as error:
                raise EndpointError("deployment:bad_package", error.text, temporary=False) from error
        return folder

    def _everywhere(self) -> frozenset[str]:
        return frozenset.intersection(*(listing.adapters for listing in self._each(Server.listing)))

    def _each(self, ask: Callable[[Server], T]) -> Sequence[T]:
        """What all servers say that are there. Raises EndpointError where none is, or one refuses."""
        said: list[T] = []
        unreachable: EndpointError | None = None
        for server in self.servers:
            try:
                said.append(ask(server))
            except EndpointError as error:
                if error.code != UNREACHABLE:
                    raise
                unreachable = error
        if unreachable and not said:
            raise unreachable
        return said

"""The container of a base inference component: `python -m lorakit.serve` as a child process."""

import os
import shutil
import socket
import subprocess
import sys
import tarfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from standin.objects import Objects, split_uri

# The kernel ends a child with the thread that started it, and a thread that answers a request is soon over.
_starting = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engines")

_http = httpx.Client(timeout=2.0, trust_env=False)

BASE = "base"
"""The base's model name inside the container."""


class LoadFailed(Exception):
    """The container could not load an adapter; the text says why."""


class Engine:
    """One process on a port of its own. `environment` is the container's, read as LMI reads it."""

    def __init__(self, base: Path, folder: Path, environment: dict[str, str]) -> None:
        self._base = base
        self._folder = folder
        # LMI's defaults.
        self._max_rank = int(environment.get("OPTION_MAX_LORA_RANK", "16"))
        self._slots = int(environment.get("OPTION_MAX_CPU_LORAS", environment.get("OPTION_MAX_LORAS", "4")))
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""
        self.loaded: set[str] = set()

    @property
    def log(self) -> Path:
        return self._folder / "log.txt"

    @property
    def pid(self) -> int:
        """The child's process id, 0 before it was started."""
        return self._process.pid if self._process else 0

    @property
    def has_ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def start(self) -> None:
        """Start the process; `is_ready` tells when it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        self.url, self.loaded = f"http://127.0.0.1:{port}", set()
        command = [
            sys.executable, "-m", "lorakit.serve", "--base", str(self._base), "--base-id", BASE, "--port", str(port),
            "--max-rank", str(self._max_rank), "--slots", str(self._slots), "--die-with-parent",
        ]  # fmt: skip
        # None of this machine's settings or credentials.
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(self._folder)}
        environment |= {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
        with self.log.open("ab") as log:
            self._process = _starting.submit(
                subprocess.Popen, command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            ).result()

    def is_ready(self) -> bool:
        """Whether it answers."""
        if self._process is None or self.has_ended:
            return False
        try:
            return _http.get(f"{self.url}/health").is_success
        except httpx.HTTPError:
            return False

    def load(self, name: str, artifact: str, objects: Objects) -> None:
        """Download an s3:// archive of an adapter and load it under `name`. Raises LoadFailed."""
        folder = self._folder / "adapters" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        content = objects.read(*split_uri(artifact))
        if content is None:
            raise LoadFailed(f"Failed to download model data from {artifact}: the object does not exist.")
        archive = folder.parent / f"{name}.tar.gz"
        archive.write_bytes(content)
        try:
            with tarfile.open(archive, "r:gz") as tar:
                tar.extractall(folder, filter="data")
        except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
            raise LoadFailed(f"Failed to extract model data archive {artifact}.") from error
        finally:
            archive.unlink()
        if not (folder / "adapter_config.json").is_file():
            raise LoadFailed("adapter_config.json was not found at the root of the adapter's archive.")
        answer = self._post("/v1/load_lora_adapter", {"lora_name": name, "lora_path": str(folder)})
        if not answer.is_success:
            raise LoadFailed(f"The container refused the adapter: {_message(answer)}")
        self.loaded.add(name)

    def unload(self, name: str) -> None:
        """Drop an adapter, if it is loaded."""
        if name in self.loaded:
            self._post("/v1/unload_lora_adapter", {"lora_name": name})
            self.loaded.discard(name)

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _post(self, path: str, body: dict[str, str]) -> httpx.Response:
        try:
            return httpx.post(f"{self.url}{path}", json=body, timeout=60.0, trust_env=False)
        except httpx.HTTPError as error:
            raise LoadFailed("The container is not responding.") from error


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:500]

"""The adapters of a server by model name.

A package, or a directory that is packed first, is unpacked into a folder named by its hash. So the content of a name
cannot change, and two names with the same content share a slot.
"""

import tempfile
import threading
from pathlib import Path

from lorakit.errors import PackageError
from lorakit.package import PACKAGE, check_directory, pack, unpack
from lorakit.serve.pool import SlotPool, StoredAdapter


class AlreadyLoaded(Exception):
    """The name is already used for other content."""


class Registry:
    """Adapters by name; safe to use from several threads."""

    def __init__(self, pool: SlotPool, cache: Path) -> None:
        self._pool = pool
        self._cache = cache
        self._adapters: dict[str, StoredAdapter] = {}
        self._lock = threading.Lock()

    def load(self, name: str, path: Path) -> StoredAdapter:
        """Check the package or directory at `path` and register it under `name`.

        Loading the same content under the same name again has no effect. Raises `PackageError` for an invalid
        package, and `AlreadyLoaded` if the name has other content.
        """
        adapter = self._store(path)
        self._pool.check(adapter)
        with self._lock:
            known = self._adapters.get(name)
            if known is not None and known.sha256 != adapter.sha256:
                raise AlreadyLoaded(name)
            self._adapters[name] = adapter
        return adapter

    def unload(self, name: str) -> bool:
        """Remove a name. Returns False if it does not exist. Running requests keep their adapter."""
        with self._lock:
            return self._adapters.pop(name, None) is not None

    def find(self, name: str) -> StoredAdapter | None:
        """The adapter of a name, or None."""
        with self._lock:
            return self._adapters.get(name)

    def items(self) -> list[tuple[str, StoredAdapter]]:
        """All names with their adapters, in loading order."""
        with self._lock:
            return list(self._adapters.items())

    def _store(self, path: Path) -> StoredAdapter:
        if path.is_dir():
            with tempfile.TemporaryDirectory(dir=self._cache) as folder:
                packed = Path(folder) / PACKAGE
                pack(path, packed)
                return self._store(packed)
        if not path.is_file():
            raise PackageError("package:not_found", f"There is no adapter at {path}.")
        with tempfile.TemporaryDirectory(dir=self._cache) as folder:
            staged = Path(folder) / "adapter"
            info = unpack(path, staged)
            directory = self._cache / info.sha256
            with self._lock:
                if not directory.exists():
                    staged.rename(directory)
        config, modules, _ = check_directory(directory)
        return StoredAdapter(info.sha256, directory, config, modules)

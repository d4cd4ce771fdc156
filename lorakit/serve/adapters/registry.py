"""The adapters of a server by model name.

A package, or a directory that is packed first, is unpacked into a folder named by its hash. So the content of a name
cannot change, and two names with the same content share a slot.
"""

import logging
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from lorakit.errors import PackageError
from lorakit.package import PACKAGE, check_directory, pack, unpack
from lorakit.serve.adapters.memory import Memory
from lorakit.serve.adapters.pool import SlotPool, StoredAdapter

log = logging.getLogger(__name__)


class AlreadyLoaded(Exception):
    """The name is already used for other content."""


class NoFreeSlot(Exception):
    """Pinning this adapter too would leave no slot to the others."""


class Registry:
    """Adapters by name; safe to use from several threads. With a memory, `restore` brings back those of before."""

    def __init__(self, pool: SlotPool, cache: Path, memory: Memory | None = None) -> None:
        self._pool = pool
        self._cache = cache
        self._memory = memory
        self._adapters: dict[str, StoredAdapter] = {}
        self._pinned: frozenset[str] = frozenset()
        self._lock = threading.Lock()
        # Requests need `_lock`, which is never held while the memory is written.
        self._changing = threading.Lock()

    def load(self, name: str, path: Path, *, pin: bool = False) -> StoredAdapter:
        """Check the package or directory at `path` and register it under `name`, pinned or not.

        Loading the same content under the same name again changes only whether it is pinned. Raises `PackageError` for
        an invalid package, `AlreadyLoaded` if the name has other content, and `NoFreeSlot`.
        """
        adapter = self._store(path)
        self._pool.check(adapter)
        with self._changing:
            with self._lock:
                known = self._adapters.get(name)
                if known is not None and known.sha256 != adapter.sha256:
                    raise AlreadyLoaded(name)
                was_pinned = name in self._pinned
                pinned = self._pinned | {name} if pin else self._pinned - {name}
                self._pin(pinned, {**self._adapters, name: adapter})
                self._adapters[name] = adapter
            if self._memory is not None and (known is None or was_pinned != pin):
                self._memory.add(name, path, adapter.sha256, is_pinned=pin)
        return adapter

    def _pin(self, names: frozenset[str], adapters: dict[str, StoredAdapter]) -> None:
        hashes = frozenset(adapters[name].sha256 for name in names)
        if len(hashes) > max(len(self._pool.pinned), self._pool.slots - 1):
            raise NoFreeSlot
        self._pinned, self._pool.pinned = names, hashes

    def pinned(self) -> dict[str, StoredAdapter]:
        """The pinned adapters by name."""
        with self._lock:
            return {name: self._adapters[name] for name in self._pinned}

    def restore(self) -> None:
        """Load what the memory names; a package that is missing, damaged or changed is left out and forgotten."""
        if self._memory is None:
            return
        restored = {}
        for name, remembered in self._memory.read().items():
            try:
                adapter = self._store(Path(remembered.path))
                self._pool.check(adapter)
            except (PackageError, OSError) as error:
                log.warning("%s was not restored: %s", name, getattr(error, "code", type(error).__name__))
                continue
            if adapter.sha256 != remembered.sha256:
                log.warning("%s was not restored: its package has changed", name)
                continue
            restored[name] = remembered
            with self._lock:
                self._adapters[name] = adapter
                if remembered.is_pinned:
                    with suppress(NoFreeSlot):
                        self._pin(self._pinned | {name}, self._adapters)
        with self._changing:
            self._memory.replace(restored)

    def unload(self, name: str) -> bool:
        """Remove a name. Returns False if it does not exist. Running requests keep their adapter."""
        with self._changing:
            with self._lock:
                if name not in self._adapters:
                    return False
                self._pin(self._pinned - {name}, self._adapters)
                del self._adapters[name]
            if self._memory is not None:
                self._memory.forget(name)
        return True

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

"""The adapters that a run asks: checked, unpacked, and in slots a few at a time."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lorakit.contracts import BASE_TARGET, GenerateSpec
from lorakit.errors import PackageError, RunError
from lorakit.package import PACKAGE, check_directory, unpack
from lorakit.rundir import Run
from lorakit.serve.adapters.pool import BASE_SLOT, SlotPool, StoredAdapter


def stage_adapters(run: Run[GenerateSpec], folder: Path) -> dict[str, StoredAdapter]:
    """The run's adapters by target, checked and unpacked. Raises RunError naming the first that cannot be used."""
    return {target: stage_adapter(run, target, folder) for target in run.spec.targets if target != BASE_TARGET}


def stage_adapter(run: Run[GenerateSpec], target: str, folder: Path) -> StoredAdapter:
    """Check a target's package and unpack it below `folder`."""
    package = run.input(target, PACKAGE)
    if not package.is_file():
        raise RunError("generation:no_adapter", f"There is no adapter {target} to evaluate. Train it first.")
    try:
        sha256 = unpack(package, folder / target).sha256
        config, modules, _ = check_directory(folder / target)
    except PackageError as error:
        raise named(error, target) from None
    return StoredAdapter(sha256, folder / target, config, modules)


def check_adapters(pool: SlotPool, adapters: Mapping[str, StoredAdapter]) -> None:
    """Raise PackageError naming an adapter that does not fit the base."""
    for target, adapter in adapters.items():
        try:
            pool.check(adapter)
        except PackageError as error:
            raise named(error, target) from None


def named(error: PackageError, target: str) -> PackageError:
    """The error with the target's name."""
    return PackageError(error.code, f"The adapter {target} can't be used. {error.text}")


def turns(targets: tuple[str, ...], slots: int) -> Iterator[tuple[str, ...]]:
    """The targets in groups of at most `slots` adapters; the base, which needs no slot, is in the first."""
    adapters = [target for target in targets if target != BASE_TARGET]
    first = tuple(target for target in targets if target == BASE_TARGET or target in adapters[:slots])
    yield first
    for start in range(slots, len(adapters), slots):
        yield tuple(adapters[start : start + slots])


@contextmanager
def in_slots(
    pool: SlotPool, targets: tuple[str, ...], adapters: Mapping[str, StoredAdapter]
) -> Iterator[dict[str, int]]:
    """The slot of each target while the block runs."""
    slots: dict[str, int] = {}
    try:
        for target in targets:
            slot = BASE_SLOT if target == BASE_TARGET else pool.acquire(adapters[target])
            assert slot is not None  # noqa: S101 - a turn has no more adapters than the pool has slots
            slots[target] = slot
        yield slots
    finally:
        for slot in slots.values():
            pool.release(slot)

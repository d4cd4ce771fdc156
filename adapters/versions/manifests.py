"""What a version's manifest says, as text for its page and its card."""

from typing import Any

from adapters.models import AdapterVersion

Facts = list[tuple[str, str]]

CHANNELS = {"train": "training rows", "eval": "held-out rows"}


def data_facts(version: AdapterVersion) -> Facts:
    """The number of rows and the hashes of their files."""
    dataset = version.run.dataset_version
    hashes = version.manifest.get("data_sha256", {})
    trained_on = version.metrics.get("rows", dataset.train_count)
    facts = [
        ("Training rows", f"{trained_on:,.0f}"),
        ("Held-out rows", f"{dataset.test_count:,}"),
        ("SHA-256 of all rows", dataset.rows_sha256),
        *((f"SHA-256 of the {title}", hashes.get(channel, "")) for channel, title in CHANNELS.items()),
    ]
    return [(name, value) for name, value in facts if value]


def made_with(manifest: dict[str, Any]) -> Facts:
    """Seeds, code, device and libraries, if the manifest has them."""
    seeds = manifest.get("seeds") or {"of the run": manifest.get("spec", {}).get("seed", 0)}
    facts = [(f"Seed, {name}", str(seed)) for name, seed in sorted(seeds.items())]
    facts += [(f"Code, {name}", str(value)) for name, value in sorted(manifest.get("code", {}).items())]
    if manifest.get("device"):
        facts.append(("Device", str(manifest["device"])))
    return facts + [(name, str(version)) for name, version in sorted(manifest.get("versions", {}).items())]


def manifest_groups(version: AdapterVersion) -> list[tuple[str, Facts]]:
    """The whole manifest as (title, facts), in reading order."""
    manifest = version.manifest
    rows = manifest.get("rows", {})
    data = [
        ("Dataset version", str(manifest.get("dataset_version", version.run.dataset_version_id))),
        *data_facts(version),
        *(
            (f"SHA-256 of the {title} ids, in order", rows[channel]["ids_sha256"])
            for channel, title in CHANNELS.items()
            if channel in rows
        ),
    ]
    base = [
        ("Name", version.adapter.base_model.name),
        ("SHA-256", str(manifest.get("base_sha256", ""))),
    ]
    spec = {name: value for name, value in manifest.get("spec", {}).items() if name not in {"schema", "base_id"}}
    settings = [("recipe", str(manifest.get("recipe", version.run.recipe)))]
    settings += [(name, ", ".join(value) if isinstance(value, list) else str(value)) for name, value in spec.items()]
    metrics = [(name, f"{value:g}") for name, value in manifest.get("metrics", {}).items()]
    return [
        ("Data", data),
        ("Base model", base),
        ("Settings", sorted(settings)),
        ("Metrics", sorted(metrics)),
        ("Environment", made_with(manifest)),
    ]

"""A folder and a hub to add base models from, and a site of its own to add them to."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.adapters.base_models.hub import Hub, running_hub


@pytest.fixture
def site(tmp_path: Path, settings: Settings) -> Path:
    """The site's own folder of base models, which nothing is in."""
    settings.PORTAL_VAR = tmp_path / "var"
    own = tmp_path / "var" / "base-models"
    own.mkdir(parents=True)
    return own


@pytest.fixture
def uploaded(site: Path, settings: Settings) -> Path:
    """A copy of the tiny base in the site's folder, with facts and a licence."""
    copy = site / "uploaded"
    shutil.copytree(settings.BASE_MODEL_DIR, copy)
    (copy / "build.json").unlink()
    (copy / "base.json").write_text(json.dumps({"title": "Small", "licence": "Apache-2.0"}))
    (copy / "LICENSE").write_text("Apache License")
    return copy


@pytest.fixture
def hub(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    folder = tmp_path / "published"
    shutil.copytree(settings.BASE_MODEL_DIR, folder)
    (folder / "build.json").unlink()
    with running_hub(folder) as hub:
        # What HF_ENDPOINT sets when huggingface_hub is first imported.
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
        template = f"{hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        yield hub

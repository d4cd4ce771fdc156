"""Base models of Hugging Face's hub, or of another at HF_ENDPOINT. HF_TOKEN is used as its own tools use it."""

from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import HfApi, ModelInfo
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

from adapters.base_models.sources.errors import cannot_fetch
from adapters.base_models.sources.room import Expect, need_room
from adapters.base_models.sources.wanted import is_wanted


def fetch(repository: str, revision: str, folder: Path, expect: Expect) -> dict[str, str]:
    """Download one revision, by default the newest, into the folder. Returns facts of it. Raises PortalError."""
    try:
        hub = HfApi()
        info = hub.model_info(repository, revision=revision or None, files_metadata=True)
        files = {file.rfilename: file.size or 0 for file in info.siblings or [] if is_wanted(file.rfilename)}
        if "config.json" not in files:
            raise cannot_fetch(f"{repository} has no config.json, so it is no model that transformers loads.")
        # An earlier attempt is gone on with, half-fetched files too.
        there = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        need_room(folder, sum(files.values()), expect, there=there)
        # The commit, not its branch, which may move meanwhile.
        hub.snapshot_download(repository, revision=info.sha, local_dir=folder, allow_patterns=sorted(files))
    except GatedRepoError:
        text = f"{repository} is gated: accept its licence on the hub, and give this command a token of that account."
        raise cannot_fetch(text) from None
    except RevisionNotFoundError:
        raise cannot_fetch(f"{repository} has no revision {revision}.") from None
    except RepositoryNotFoundError:
        raise cannot_fetch(f"The hub has no public model {repository}. A private one needs a token.") from None
    except HfHubHTTPError as error:
        raise cannot_fetch(f"The hub refused {repository}: status {error.response.status_code}.") from None
    except (httpx2.HTTPError, OSError) as error:
        raise cannot_fetch(f"The hub could not be reached, or broke off ({type(error).__name__}).") from None
    return {
        "title": repository.rpartition("/")[2],
        "licence": _licence(info),
        "source": f"Hugging Face, {repository}, {str(info.sha)[:12]}",
    }


def _licence(info: ModelInfo) -> str:
    card: Any = info.card_data or {}
    licence = card.get("license")
    return str((card.get("license_name") if licence == "other" else licence) or "")

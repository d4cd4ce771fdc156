"""Which files of the server an operator may add on a page.

Who may open the page need not be who may read the server's disk, so a path is taken only below folders that whoever
set the server up chose for base models. `manage.py base_model add` takes any.
"""

from functools import partial
from pathlib import Path

from django.conf import settings

from adapters.base_models.sources.fetch import is_elsewhere, usual_name
from rest.errors import PortalError

bad_source = partial(PortalError, code="base_model:bad_source", field="folder")


def own_folder() -> Path:
    """Where the site keeps base models that it fetched."""
    return Path(settings.PORTAL_VAR) / "base-models"


def log_of(name: str) -> Path:
    """What the process that adds or checks the base model of that name has written."""
    return own_folder() / f".{name}.log"


def allowed_folders() -> list[Path]:
    """The site's own folder of base models, and those of the settings."""
    return [own_folder(), *map(Path, settings.BASE_MODEL_FOLDERS)]


def checked_source(source: str) -> str:
    """The source as it is kept: an address, or the whole path of a folder or GGUF file in an allowed folder.

    Raises PortalError with `field`: base_model:bad_source, base_model:cannot_fetch.
    """
    if "://" in source:
        usual_name(source)
        return source
    try:
        path = (own_folder() / source).resolve()
        path.exists()
    except (OSError, ValueError):
        raise bad_source("This is no path that the server can read.") from None
    if not any(path.is_relative_to(folder.resolve()) and path != folder.resolve() for folder in allowed_folders()):
        places = " or ".join(str(folder) for folder in allowed_folders())
        raise bad_source(f"On this page, folders and files of the server have to be in {places}.")
    if is_elsewhere(str(path)):
        if not path.is_file():
            raise bad_source("There is no such file.")
    elif not path.is_dir():
        raise bad_source("There is no such folder. Give a folder, a GGUF file, s3://BUCKET/PREFIX or hf://OWNER/MODEL.")
    return str(path)

"""`python -m portal.engines`: starts an engine for each base model that is asked for."""

import argparse
import os

import aiohttp
import django
import uvicorn

from lorakit.machine import memory_bytes, processors

MOST_THREADS = 8


def main() -> None:
    """Serve all engines at --host and --port until told to end."""
    parser = argparse.ArgumentParser(prog="python -m portal.engines", description=main.__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8003)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()

    from django.conf import settings

    from portal.engines.catalogue import site_catalogue
    from portal.engines.host import create_app
    from portal.engines.pool import Pool

    catalogue = site_catalogue(threads=_threads())

    def pool(client: aiohttp.ClientSession) -> Pool:
        return Pool(
            catalogue.find,
            client,
            budget=int(settings.ENGINES_MEMORY_GIB * 2**30) or memory_bytes() // 2,
            idle_seconds=settings.ENGINES_IDLE_MINUTES * 60,
        )

    app = create_app(catalogue, settings.ENGINE_API_KEY, pool)
    uvicorn.run(
        app,
        host=options.host,
        port=options.port,
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=10,
    )


def _threads() -> int:
    """Half of the processors: the other half is for the site's own engine and for training."""
    return min(MOST_THREADS, max(1, processors() // 2))


if __name__ == "__main__":
    main()

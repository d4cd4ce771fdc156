"""`python -m lorakit.serve --base DIR`: runs the server.

If ENGINE_API_KEY is set, every request except /health needs it as a bearer token.
"""

import argparse
import os
import tempfile
from pathlib import Path

from lorakit.process import die_with_parent


def parse_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", required=True, help="directory of the base model")
    parser.add_argument("--base-id", default="tiny-llama", help="the base's model name")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8002)
    parser.add_argument("--slots", type=int, default=16, help="maximum number of adapters in memory")
    parser.add_argument("--max-rank", type=int, default=32, help="maximum rank of an adapter")
    parser.add_argument("--threads", type=int, default=1, help="number of CPU threads for the model")
    parser.add_argument("--width", type=int, default=32, help="maximum number of requests in a batch")
    parser.add_argument("--cache", type=Path, help="folder for unpacked adapters (default: a temporary one)")
    parser.add_argument("--memory", type=Path, help="file that names the adapters it holds, for its next start")
    parser.add_argument("--die-with-parent", action="store_true", help="end when the parent process ends")
    return parser.parse_args()


def main() -> None:
    """Load the base, then serve until stopped."""
    arguments = parse_arguments()
    if arguments.die_with_parent:
        die_with_parent()
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Large pages: every token reads the matrices of its adapter, which lie far apart.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

    import uvicorn

    from lorakit.serve.engine import Engine, Settings
    from lorakit.serve.server import create_app

    with tempfile.TemporaryDirectory(prefix="lorakit-adapters-") as temporary:
        cache = arguments.cache or Path(temporary)
        cache.mkdir(parents=True, exist_ok=True)
        settings = Settings(
            base=arguments.base,
            base_id=arguments.base_id,
            cache=cache,
            slots=arguments.slots,
            max_rank=arguments.max_rank,
            threads=arguments.threads,
            width=arguments.width,
            memory=arguments.memory,
        )
        app = create_app(Engine(settings), os.environ.get("ENGINE_API_KEY"))
        uvicorn.run(app, host=arguments.host, port=arguments.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()

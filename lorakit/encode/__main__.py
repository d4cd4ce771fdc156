"""`python -m lorakit.encode --model DIR`: serves an encoder's vectors.

If ENCODER_API_KEY is set, every request except /health needs it as a bearer token.
"""

import argparse
import os
from pathlib import Path

from lorakit.process import die_with_parent


def parse_arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, type=Path, help="directory of the encoder")
    parser.add_argument("--model-id", help="the encoder's name (default: that of its directory)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8004)
    parser.add_argument("--threads", type=int, default=1, help="number of CPU threads for the model")
    parser.add_argument("--die-with-parent", action="store_true", help="end when the parent process ends")
    return parser.parse_args()


def main() -> None:
    """Load the encoder, then serve until stopped."""
    arguments = parse_arguments()
    if arguments.die_with_parent:
        die_with_parent()
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)

    import uvicorn

    from lorakit.encode.encoder import TextEncoder
    from lorakit.encode.server import create_app

    encoder = TextEncoder.load(arguments.model, threads=arguments.threads)
    app = create_app(encoder, arguments.model_id or arguments.model.name, os.environ.get("ENCODER_API_KEY"))
    uvicorn.run(app, host=arguments.host, port=arguments.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()

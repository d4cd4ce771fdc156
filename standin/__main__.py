"""`python -m standin --port 4566 --folder FOLDER --bucket NAME`: runs the AWS stand-in until SIGTERM.

Any AWS client works with it: `aws --endpoint-url http://127.0.0.1:4566 sagemaker list-training-jobs`.
"""

import argparse
import signal
import sys
from pathlib import Path

from standin.server import StandIn
from standin.training_job import Timing


def main() -> None:
    """Serve until stopped; prints the address once it answers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--bucket", action="append", default=[])
    parser.add_argument("--put", nargs=2, action="append", default=[], metavar=("FOLDER", "URI"), help="copy into S3")
    parser.add_argument("--phase-seconds", type=float, default=1.0, help="duration of each of AWS's own phases")
    arguments = parser.parse_args()
    seconds = arguments.phase_seconds
    standin = StandIn(arguments.folder, timing=Timing(seconds, seconds, seconds, seconds), port=arguments.port).start()
    for bucket in arguments.bucket:
        standin.make_bucket(bucket)
    for folder, uri in arguments.put:
        standin.put_folder(Path(folder), uri)
    sys.stdout.write(f"ready: {standin.url}\n")
    sys.stdout.flush()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    signal.signal(signal.SIGINT, lambda number, frame: sys.exit(0))
    try:
        signal.pause()
    finally:
        standin.stop()


if __name__ == "__main__":
    main()

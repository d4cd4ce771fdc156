"""Runs AWS's command line as often as asked, each time in a fork of a process that has imported it.

A line of standard input is the words of one command as a JSON array; a line of standard output is its exit status,
output and errors. Run by the Python that has `awscli`, since importing it takes longer than most commands.
"""

import json
import os
import sys
import tempfile

from awscli.clidriver import main


def run(words: list[str]) -> tuple[int, str, str]:
    """The exit status, standard output and standard error of `aws WORDS`."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(errors.fileno(), 2)
            sys.argv = ["aws", *words]
            try:
                status = main()
            except SystemExit as leaving:
                status = leaving.code if isinstance(leaving.code, int) else 1
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status or 0)
        _, waited = os.waitpid(child, 0)
        out.seek(0)
        errors.seek(0)
        return os.waitstatus_to_exitcode(waited), out.read().decode(), errors.read().decode()


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(run(json.loads(line))) + "\n")
        sys.stdout.flush()

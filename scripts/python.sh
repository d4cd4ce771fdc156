#!/usr/bin/env bash
# Create .venv and install torch and the hash-pinned locks into it. Safe to run again: it keeps what is installed.
# TORCH_INDEX_URL sets another index for torch, for example one with a certain CPU or CUDA build.
set -euo pipefail
cd "$(dirname "$0")/.."

TORCH_VERSION=2.13.0
LOCKS=(-r requirements/base.txt -r requirements/ml.txt -r requirements/dev.txt)

fail() {
  printf 'Set-up stopped: %s\n' "$*" >&2
  exit 1
}

find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3.11 python3.12 python3.13 python3; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  fail "Python 3.11 or newer is needed. On Debian or Ubuntu: apt-get install python3 python3-venv"
}

if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
  python=$(find_python)
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv"
  echo "Creating .venv with $python"
  "$python" -m venv --clear .venv
fi
pip=(.venv/bin/python -m pip --disable-pip-version-check)

if ! .venv/bin/python -c "import importlib.metadata as m, sys; sys.exit(m.version('torch').split('+')[0] != '$TORCH_VERSION')" 2>/dev/null; then
  echo "Installing torch $TORCH_VERSION"
  "${pip[@]}" install --quiet ${TORCH_INDEX_URL:+--index-url "$TORCH_INDEX_URL"} "torch==$TORCH_VERSION"
fi

echo "Installing the locked packages"
"${pip[@]}" install --quiet --require-hashes -r requirements/tools.txt
# uv is several times faster but ignores pip's configuration, so pip is used if that names the only index.
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --require-hashes "${LOCKS[@]}" ||
  "${pip[@]}" install --quiet --no-deps --require-hashes "${LOCKS[@]}"
"${pip[@]}" check

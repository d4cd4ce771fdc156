#!/usr/bin/env bash
# Resolve requirements/*.in again into hash-pinned locks. The files contain no URLs, so any package index works.
set -euo pipefail
cd "$(dirname "$0")/../requirements"

lock() {
  local name=$1
  shift
  ../.venv/bin/uv pip compile "$name.in" --output-file "$name.txt" --quiet --upgrade --generate-hashes \
    --python-version 3.11 --override without-torch.in --custom-compile-command "make lock" \
    --no-emit-index-url --no-emit-find-links "$@"
}

lock tools
lock node
lock base
lock ml --constraint base.txt
lock dev --constraint base.txt --constraint ml.txt
# A separate lock, because its requirements limit the versions of several of ours.
lock sagemaker

#!/usr/bin/env bash
# Install the locked npm packages under var/ and copy the few files that pages load into static/vendor.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v npm >/dev/null; then
  echo "npm was not found; installing it into .venv"
  .venv/bin/python -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements/node.txt
  PATH="$PWD/.venv/bin:$PATH"
fi

echo "Installing the front-end files"
mkdir -p var/frontend
cp package.json package-lock.json .npmrc var/frontend/
(cd var/frontend && npm ci --ignore-scripts --loglevel=error)

packages=var/frontend/node_modules
rm -rf static/vendor
install -D -m 644 -t static/vendor/tabler \
  "$packages/@tabler/core/dist/css/tabler.min.css" "$packages/@tabler/core/dist/js/tabler.min.js"
install -D -m 644 -t static/vendor/plotly \
  "$packages/plotly.js-basic-dist-min/plotly-basic.min.js" "$packages/plotly.js-basic-dist-min/LICENSE"
install -D -m 644 -t static/vendor/tus "$packages/tus-js-client/dist/tus.min.js" "$packages/tus-js-client/LICENSE"
install -D -m 644 -t static/vendor/inter "$packages/@fontsource-variable/inter/LICENSE"
# A third of the font are alternates and signs that no page uses.
.venv/bin/python -m fontTools.subset "$packages/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2" \
  --unicodes=U+20-7E,U+A0-FF,U+131,U+152-153,U+2000-206F,U+20AC,U+2122,U+2190-2193,U+2212,U+2248,U+2260-2265 \
  --layout-features=kern,ccmp,tnum,cv11,ss03 --flavor=woff2 \
  --output-file=static/vendor/inter/inter-latin-wght-normal.woff2
# The source maps stay behind, so the references to them must too.
sed -i -E 's@/[*/]# sourceMappingURL=[^ *]*( \*/)?@@' static/vendor/tabler/* static/vendor/tus/tus.min.js

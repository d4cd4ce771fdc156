#!/usr/bin/env bash
# Every static check. Runs them all, then fails if any did.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
export PATH="$PWD/.venv/bin:$PATH"
failed=()

step() {
  local name=$1
  shift
  printf '\n%s\n' "$name"
  "$@" || failed+=("$name")
}

# The environment of a hosted site; the checks start no services.
hosted=(
  env DATABASE_URL=postgres://portal_app@database.example/portal REDIS_URL=redis://broker.example/0
  SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(64))')"
  ALLOWED_HOSTS=portal.example HTTPS=true DEBUG=false
)

step "Code style" ruff check .
step "Code format" ruff format --check .
step "Types" mypy
step "Layers" lint-imports
mapfile -t templates < <(find templates -name '*.html')
step "Template format" djade --check --target-version 5.2 "${templates[@]}"
step "Template rules" djlint templates --lint --quiet
step "JavaScript and CSS" var/frontend/node_modules/.bin/biome check --error-on-warnings
step "CloudFormation" cfn-lint deploy/aws/*.yaml
step "Shell scripts" shellcheck .ci/run deploy/postgres/*.sh scripts/*.sh
step "Migrations match the models" python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
step "Security settings of a hosted site" "${hosted[@]}" python manage.py check --deploy --fail-level WARNING
step "OpenAPI document" "${hosted[@]}" python manage.py spectacular --validate --fail-on-warn --file /dev/null
step "docker-compose.yml" check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
step "Development image" hadolint deploy/Dockerfile.dev
step "Installed packages" python -m pip --disable-pip-version-check check

if ((${#failed[@]})); then
  printf '\nFailed: %s\n' "${failed[@]}" >&2
  exit 1
fi
printf '\nAll checks passed.\n'

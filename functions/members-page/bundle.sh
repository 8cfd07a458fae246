#!/usr/bin/env bash
# Makes the files in bundle/, which the function serves, from those in assets/. Needs Node.js with npm.
#
#   functions/members-page/bundle.sh            writes bundle/
#   functions/members-page/bundle.sh --check    fails if bundle/ is out of date
set -euo pipefail
cd "$(dirname "$0")"

# The browser tests' lockfile pins esbuild.
tests=../../tests/browser
(cd "$tests" && { npm ls esbuild >/dev/null 2>&1 || npm ci --silent; })

folder=bundle
if [[ "${1:-}" == --check ]]; then
    folder="$(mktemp -d)"
    trap 'rm -r "$folder"' EXIT
fi

# The first browsers with all that the page uses. Identifiers stay as they are, for stack traces: that costs 2 KB.
"$tests/node_modules/.bin/esbuild" page=assets/main.js page=assets/page.css icon=assets/icon.svg \
    --bundle --format=esm --target=chrome120,firefox125,safari17.4 --minify-syntax --minify-whitespace \
    --charset=utf8 --loader:.svg=copy --outdir="$folder" --log-level=warning

if ! diff --recursive --brief bundle "$folder"; then
    echo "functions/members-page/bundle is out of date: run \`just bundle\`, and commit what it writes." >&2
    exit 1
fi

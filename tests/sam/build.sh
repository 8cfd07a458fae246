#!/usr/bin/env bash
# Builds every function from a clean checkout of the last commit, as a deployment does, inspects the output, and checks
# that a change outside a function's folder is in the next build.
#
#   tests/sam/build.sh FOLDER    a deployment would upload FOLDER/checkout/.aws-sam/build
#
# Needs sam and cargo-lambda on the PATH (.ci/requirements.txt), Python 3, and Rust. Builds for this machine's
# processor, so that `sam local` can run the functions. Uses CARGO_TARGET_DIR if it is set.
set -euo pipefail
repository="$(cd "$(dirname "$0")/../.." && pwd)"
folder="$(mkdir -p "$1" && cd "$1" && pwd)"
checkout="$folder/checkout"

case "$(uname -m)" in
    x86_64) architecture=x86_64 ;;
    aarch64 | arm64) architecture=arm64 ;;
    *) echo "Lambda has no processor $(uname -m)." >&2 && exit 1 ;;
esac
export AWS_REGION=eu-central-1 SAM_CLI_TELEMETRY=0
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$folder/target}"

build() {
    (cd "$checkout" && sam build --parameter-overrides "Architecture=$architecture" "$@" 2>&1) \
        >"$folder/build.log" || { cat "$folder/build.log" >&2 && exit 1; }
}

rm -rf "$checkout"
git clone --quiet "$repository" "$checkout"
build

functions="$(sed -n 's/^    Metadata: .*{Binary: \(.*\)}}$/\1/p' "$checkout/template.yaml" | wc -l)"
artifacts=("$checkout"/.aws-sam/build/*/bootstrap)
if [[ "${#artifacts[@]}" -ne "$functions" ]]; then
    echo "The template has $functions functions, but ${#artifacts[@]} were built." >&2
    exit 1
fi
"$repository/tests/sam/artefacts.py" "$checkout/.aws-sam/build"

# A sentence in shared/ that is part of every function that answers calls.
old='Your access to this account has been revoked.'
new='Your access to this account has been REVOKED.'
grep -q "$old" "$checkout/.aws-sam/build/Remove/bootstrap"
grep -rl "$old" "$checkout/shared" --include='*.rs' | xargs sed -i "s/$old/$new/"
build --build-dir "$folder/changed" Remove
if ! grep -q "$new" "$folder/changed/Remove/bootstrap"; then
    echo "A change in shared/ was not built: a deployment would ship old code." >&2
    exit 1
fi
git -C "$checkout" checkout --quiet -- .
rm -rf "$folder/changed"
echo "Every function is built, and a change in shared/ is in the next build."

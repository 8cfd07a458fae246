#!/usr/bin/env bash
# Builds every function from a clean checkout of the last commit, as a deployment does, prints how
# large they are, and sees that there is no aws-lc in them, and that no old code is shipped after a change
# outside of a function's folder.
#
#   tests/sam/build.sh FOLDER    FOLDER/checkout/.aws-sam/build is what a deployment would upload
#
# Needs sam and cargo-lambda on the PATH (.ci/requirements.txt), and Rust. It builds for the processor of
# this machine, so that `sam local` can run it. CARGO_TARGET_DIR is used if it is set.
set -euo pipefail
repository="$(cd "$(dirname "$0")/../.." && pwd)"
folder="$(mkdir -p "$1" && cd "$1" && pwd)"
checkout="$folder/checkout"

case "$(uname -m)" in
    x86_64) architecture=x86_64 ;;
    aarch64 | arm64) architecture=arm64 ;;
    *) echo "No Lambda function runs on $(uname -m)." >&2 && exit 1 ;;
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

functions="$(sed -n 's/^ *BuildProperties: {Binary: \(.*\)}$/\1/p' "$checkout/template.yaml" | wc -l)"
artifacts=("$checkout"/.aws-sam/build/*/bootstrap)
if [[ "${#artifacts[@]}" -ne "$functions" ]]; then
    echo "The template has $functions functions, but ${#artifacts[@]} were built." >&2
    exit 1
fi
printf '%-20s %10s %10s\n' function bytes zipped
for artifact in "${artifacts[@]}"; do
    name="$(basename "$(dirname "$artifact")")"
    printf '%-20s %10d %10d\n' "$name" "$(stat -c %s "$artifact")" "$(gzip -c "$artifact" | wc -c)"
done

# aws-lc, which names its source files in whatever it is part of, would spend the first invocation on
# entropy from jitter: docs/decisions/0004-cold-start.md.
if grep --files-with-matches aws-lc "${artifacts[@]}"; then
    echo "These functions have aws-lc in them." >&2
    exit 1
fi

# A sentence that lives in shared/ and is part of every function that answers calls.
old='Your access to this account has been revoked.'
new='Your access to this account has been REVOKED.'
grep -q "$old" "$checkout/.aws-sam/build/Remove/bootstrap"
sed -i "s/$old/$new/" "$checkout/shared/platform/src/problem.rs"
build --build-dir "$folder/changed" Remove
if ! grep -q "$new" "$folder/changed/Remove/bootstrap"; then
    echo "A change in shared/ was not built: old code would have been shipped." >&2
    exit 1
fi
git -C "$checkout" checkout --quiet -- .
rm -rf "$folder/changed"
echo "Every function is built, and a change in shared/ is in the next build."

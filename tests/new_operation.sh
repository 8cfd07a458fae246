#!/usr/bin/env bash
# Starts a new operation in a copy of the last commit. It must build and pass, except for what its author must explain.
#
#   tests/new_operation.sh FOLDER
set -euo pipefail
repository="$(cd "$(dirname "$0")/.." && pwd)"
checkout="$1/checkout"
rm -rf "$checkout"
git clone --quiet "$repository" "$checkout"
cd "$checkout"

docs/adding-an-operation/new.py transfer-ownership
it() {
    cargo test --locked --package tests --test it -- "$@"
}
# Skipped: the page still serves the openapi.json that it was built with.
BLESS=1 it up_to_date transfer_ownership:: template:: docs:: openapi:: events:: abilities:: permissions:: deployment:: \
    --skip the_api_serves_its_description

complaint="$(it the_alarms_are_up_to_date 2>&1)" || true
if [[ "$complaint" != *"TransferOwnershipErrorsAlarm\` is not explained"* ]]; then
    echo "$complaint" >&2
    echo "The alarm of a new operation should fail the test until its author explains it." >&2
    exit 1
fi
echo "A new operation builds, and only its alarm is left to explain."

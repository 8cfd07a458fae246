#!/usr/bin/env bash
# Begins an operation in a copy of the last commit: what is generated builds, and fits everything but for what its
# author has to explain.
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
# The page that serves openapi.json was built before that was written.
BLESS=1 it up_to_date transfer_ownership:: template:: docs:: openapi:: events:: abilities:: permissions:: deployment:: \
    --skip the_api_serves_its_description

complaint="$(it the_alarms_are_up_to_date 2>&1)" || true
if [[ "$complaint" != *"TransferOwnershipErrorsAlarm\` is not explained"* ]]; then
    echo "$complaint" >&2
    echo "Nobody has to explain the alarm of a new operation." >&2
    exit 1
fi
echo "A new operation builds, and its alarm waits for an explanation."

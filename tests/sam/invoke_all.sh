#!/usr/bin/env bash
# Runs the functions built by tests/sam/build.sh with every file in events/, in containers.
#
#   tests/sam/engine.sh ENGINE tests/sam/invoke_all.sh FOLDER    FOLDER is the folder given to build.sh
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
"$here/base_image.sh" rollcall-base
exec python3 "$here/invoke.py" "$1/checkout/.aws-sam/build" rollcall-base:latest

#!/usr/bin/env bash
# Runs a command with a container engine: the one running on this machine, or one started only for the command.
#
#   tests/sam/engine.sh FOLDER COMMAND...    FOLDER holds the files of a started engine
#
# Installs Debian's docker.io if it can. Exits with 77 if no engine is available.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
folder="$(mkdir -p "$1" && cd "$1" && pwd)"
shift

if docker info >/dev/null 2>&1; then
    exec "$@"
fi
no_engine() {
    echo "No container engine is available: $1."
    exit 77
}
[[ "$(id -u)" -eq 0 ]] || no_engine "none is running, and only root can start one"
if ! command -v dockerd >/dev/null; then
    command -v apt-get >/dev/null || no_engine "none is installed, and this is not Debian"
    "$here/../../.ci/install_package" docker.io busybox-static >"$folder/apt.log" 2>&1 ||
        no_engine "docker.io can't be installed, see $folder/apt.log"
fi

export DOCKER_HOST="unix://$folder/docker.sock"
dockerd --host "$DOCKER_HOST" --data-root "$folder/data" --exec-root "$folder/exec" \
    --pidfile "$folder/docker.pid" >"$folder/dockerd.log" 2>&1 &
dockerd=$!
trap 'kill "$dockerd" 2>/dev/null; wait "$dockerd" 2>/dev/null || true' EXIT
until docker info >/dev/null 2>&1; do
    kill -0 "$dockerd" 2>/dev/null || no_engine "dockerd doesn't start, see $folder/dockerd.log"
    sleep 0.5
done
"$@"

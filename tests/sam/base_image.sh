#!/usr/bin/env bash
# Makes a container image that runs functions, from this Debian's files. It isn't Amazon Linux, but it is enough to check
# that packages and events fit.
#
#   tests/sam/base_image.sh NAME
set -euo pipefail
root="$(mktemp -d)"
trap 'rm -rf "$root"' EXIT

busybox="$(command -v busybox)"
if ldd "$busybox" >/dev/null 2>&1; then
    echo "busybox needs shared libraries: install busybox-static." >&2
    exit 1
fi
mkdir -p "$root"/{bin,tmp,var/task,var/runtime,etc}
cp "$busybox" "$root/bin/busybox"
for command in sh mv chmod mkdir; do
    ln -s busybox "$root/bin/$command"
done
# The libraries that functions link.
for library in ld-linux-{x86-64.so.2,aarch64.so.1} lib{c,m}.so.6 libpthread.so.0 libdl.so.2 libgcc_s.so.1; do
    for found in {/lib,/lib64,"/lib/$(uname -m)-linux-gnu"}/"$library"; do
        [[ ! -e "$found" ]] || cp -L --parents "$found" "$root"
    done
done
tar -C "$root" -c . | docker import - "$1" >/dev/null

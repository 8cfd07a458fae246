#!/usr/bin/env bash
# Makes a container image for running functions from the files of this Debian. The real image isn't
# needed to check that packages and events fit. It isn't Amazon Linux.
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
for library in ld-linux-x86-64.so.2 ld-linux-aarch64.so.1 libc.so.6 libm.so.6 libpthread.so.0 libdl.so.2 \
    libgcc_s.so.1; do
    for found in "/lib/$library" "/lib64/$library" "/lib/$(uname -m)-linux-gnu/$library"; do
        [[ -e "$found" ]] || continue
        mkdir -p "$root$(dirname "$found")"
        cp -L "$found" "$root$found"
    done
done
tar -C "$root" -c . | docker import - "$1" >/dev/null

#!/usr/bin/env python3
"""Tries the logins of docs/examples against a fresh local stack, as docs/integrating.md describes."""

import os
import shutil
import signal
import subprocess

from readme_story import ROOT, local_stack

EXAMPLES = [["python3", "docs/examples/login_callback.py"]]
if shutil.which("npx"):
    EXAMPLES.append(["npx", "--yes", "tsx@4", "docs/examples/login-callback.ts"])


def walk_through(example, environment):
    # Runs in a session of its own, because npx starts other processes.
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    product = subprocess.Popen(example, cwd=ROOT, env=environment, start_new_session=True, **quiet)
    try:
        subprocess.run(["docs/examples/try"], cwd=ROOT, env=environment, check=True, timeout=120)
    finally:
        os.killpg(product.pid, signal.SIGTERM)
        product.wait()


def main():
    with local_stack() as url:
        for example in EXAMPLES:
            print(" ".join(example))
            walk_through(example, {**os.environ, "ROLLCALL": url})


if __name__ == "__main__":
    main()

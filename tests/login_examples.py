#!/usr/bin/env python3
"""Walks through the logins of docs/examples beside a fresh local stack, as docs/integrating.md says."""

import os
import shutil
import signal
import subprocess

from readme_story import ROOT, start

EXAMPLES = [["python3", "docs/examples/login_callback.py"]]
if shutil.which("npx"):
    EXAMPLES.append(["npx", "--yes", "tsx@4", "docs/examples/login-callback.ts"])


def walk_through(example, environment):
    # A session of its own, because npx starts others.
    product = subprocess.Popen(
        example,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        subprocess.run(["docs/examples/try"], cwd=ROOT, env=environment, check=True, timeout=120)
    finally:
        os.killpg(product.pid, signal.SIGTERM)
        product.wait()


def main():
    stack, url = start()
    try:
        for example in EXAMPLES:
            print(" ".join(example))
            walk_through(example, {**os.environ, "ROLLCALL": url})
    finally:
        stack.terminate()
        stack.wait()


if __name__ == "__main__":
    main()

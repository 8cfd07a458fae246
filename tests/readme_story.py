#!/usr/bin/env python3
"""Runs the README's story against a fresh local stack, and compares its output with the README.

After each block of shell commands comes a block of the lines that they print, in which … stands for anything.
"""

import contextlib
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MARK = "---- end of block ----"


def story():
    """The README's steps: commands, and the patterns of the lines that they print."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.split("\n## The story\n")[1].split("\n## ")[0]
    steps = re.findall(r"```sh\n(.*?)```\n```json\n(.*?)```", section, re.DOTALL)
    if len(steps) < 6 or len(steps) != section.count("```sh\n"):
        sys.exit("README.md: a block of the story lacks its output")
    return steps


@contextlib.contextmanager
def local_stack():
    """The address of a local stack on free ports, which stops at the end of the block."""
    command = ["cargo", "run", "--quiet", "--", "--port", "0", "--dynamodb-port", "0"]
    stack = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        for line in stack.stdout:
            if line.startswith("rollcall: "):
                url = line.removeprefix("rollcall: ").strip()
            if "Ctrl-C" in line:
                break
        else:
            sys.exit("the local stack did not start")
        yield url
    finally:
        stack.terminate()
        stack.wait()


def run(steps, url):
    """The output of each step."""
    script = "".join(f"{commands}\necho '{MARK}'\n" for commands, _ in steps)
    script = script.replace("http://127.0.0.1:3000", url)
    output = subprocess.check_output(["bash", "-eu", "-o", "pipefail", "-c", script], text=True, timeout=120)
    return output.split(f"{MARK}\n")[:-1]


def is_as_written(line, pattern):
    return re.fullmatch(".*".join(map(re.escape, pattern.split("…"))), line) is not None


def main():
    steps = story()
    with local_stack() as url:
        outputs = run(steps, url)
    for (commands, patterns), output in zip(steps, outputs, strict=True):
        patterns, lines = patterns.splitlines(), output.splitlines()
        if len(lines) != len(patterns) or not all(map(is_as_written, lines, patterns)):
            sys.exit(f"README.md: these commands\n\n{commands}\nprinted\n\n{output}")
    print(f"The README's story is true: {len(steps)} steps.")


if __name__ == "__main__":
    main()
